"""Lines between codes and along their axes, and the images that are made of them."""

from __future__ import annotations

import numpy as np
import pytest

import tinyconv as tc
from tests.models.generation import generator
from tinyconv import models, viz
from tinyconv.errors import ArgumentError, ShapeError
from tinyconv.models.latent import interpolate, traverse


def test_a_line_between_two_codes() -> None:
    first, second = tc.randn(5, generator=generator(1)), tc.randn(5, generator=generator(2))
    codes = interpolate(first, second, steps=6).numpy()
    assert codes.shape == (6, 5)
    assert np.allclose(codes, np.linspace(first.numpy(), second.numpy(), 6), atol=1e-6)


def test_one_number_of_a_code_changes() -> None:
    code = tc.randn(5, generator=generator())
    codes, expected = traverse(code, 2, [-1, 0.5, 3]).numpy(), np.tile(code.numpy(), (3, 1))
    expected[:, 2] = [-1, 0.5, 3]
    assert (codes == expected).all() and codes.dtype == np.float32


def test_images_change_gradually_along_a_line() -> None:
    """Neighbours on the line differ less than its ends; the figure has one row per traversal."""
    tc.manual_seed(0)
    model = models.create("dcgan", in_channels=1, image_size=28, latent_dim=6, width=8).eval()
    ends = model.noise(2, generator())
    with tc.no_grad():
        images = model(interpolate(ends[0], ends[1], steps=9)).numpy()
        codes = [traverse(ends[0], index, [-2, 0, 2]) for index in range(4)]
        rows = np.concatenate([model(code).numpy() for code in codes])
    steps = np.sqrt(((images[1:] - images[:-1]) ** 2).sum((1, 2, 3)))
    assert 0 < steps.max() < np.sqrt(((images[-1] - images[0]) ** 2).sum()) / 2
    figure = viz.sample_grid(rows, 3, low=-1, high=1, rows=[f"z{index}" for index in range(4)])
    assert figure.axes[0].images[0].get_array().shape == (4 * 29 - 1, 3 * 29 - 1, 3)


def test_wrong_arguments() -> None:
    code = tc.zeros(3)
    with pytest.raises(ShapeError, match=r"interpolate: second is of shape \(4,\)"):
        interpolate(code, tc.zeros(4))
    with pytest.raises(ShapeError, match=r"traverse: code is of shape \(1, 3\)"):
        traverse(tc.zeros(1, 3), 0, [1])
    for steps in (1, 0, 2.5):
        with pytest.raises(ArgumentError, match="steps"):
            interpolate(code, code, steps)
    for index in (3, -1, "0"):
        with pytest.raises(ArgumentError, match="index"):
            traverse(code, index, [1])
    with pytest.raises(ArgumentError, match="values is empty"):
        traverse(code, 0, [])
