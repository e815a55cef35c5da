"""Sampling at coordinates: known answers, and coordinates that are ties, far away, or no numbers."""

from __future__ import annotations

import numpy as np
import pytest

import tinyconv as tc
import tinyconv.nn.functional as F

PADDINGS = ("zeros", "border", "reflection")
IDENTITY = tc.tensor([[[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]], dtype="float64")


def image(*size: int) -> tc.Tensor:
    return tc.as_tensor(np.random.default_rng(0).standard_normal((1, 2, *size)))


@pytest.mark.parametrize("mode", ["bilinear", "nearest", "bicubic"])
@pytest.mark.parametrize("padding_mode", PADDINGS)
@pytest.mark.parametrize("align_corners", [False, True])
def test_the_identity_changes_nothing(mode: str, padding_mode: str, align_corners: bool) -> None:
    x = image(5, 4)
    grid = F.affine_grid(IDENTITY, x.shape, align_corners)
    y = F.grid_sample(x, grid, mode, padding_mode, align_corners)
    np.testing.assert_allclose(y.numpy(), x.numpy(), rtol=0, atol=1e-14)


def test_a_quarter_turn_is_numpys() -> None:
    """The output's upper left corner (-1, -1) looks at the input's upper right (1, -1)."""
    x = image(4, 4)
    turn = tc.tensor([[[0.0, -1.0, 0.0], [1.0, 0.0, 0.0]]], dtype="float64")
    y = F.grid_sample(x, F.affine_grid(turn, x.shape))
    np.testing.assert_allclose(y.numpy(), np.rot90(x.numpy(), 1, (2, 3)), rtol=0, atol=1e-14)


def test_x_comes_before_y() -> None:
    x = tc.tensor([[[[1.0, 2.0], [3.0, 4.0]]]])
    right_above = tc.tensor([[[[0.5, -0.5]]]])
    assert F.grid_sample(x, right_above).item() == 2


@pytest.mark.parametrize("padding_mode", PADDINGS)
@pytest.mark.parametrize("align_corners", [False, True])
@pytest.mark.parametrize("mode", ["bilinear", "nearest", "bicubic"])
def test_ties_borders_and_far_coordinates_are_pytorchs(
    mode: str, padding_mode: str, align_corners: bool
) -> None:
    torch = pytest.importorskip("torch")
    x = image(4, 5)
    ticks = np.array([-7.1, -2, -1.25, -1, -0.75, -0.5, -0.25, 0, 0.2, 0.5, 0.75, 0.8, 1, 1.4, 2, 9.3])
    grid = np.stack(np.meshgrid(ticks, ticks), axis=-1)[None]
    y = F.grid_sample(x, tc.as_tensor(grid), mode, padding_mode, align_corners).numpy()
    arguments = (torch.from_numpy(x.numpy()), torch.from_numpy(grid), mode, padding_mode, align_corners)
    expected = torch.nn.functional.grid_sample(*arguments).numpy()
    np.testing.assert_allclose(y, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("mode", ["bilinear", "nearest", "bicubic"])
def test_outside_is_zero_also_at_infinity_and_where_there_is_no_number(mode: str) -> None:
    grid = tc.tensor([[[[np.inf, 0.0], [0.0, -np.inf], [np.nan, np.nan], [1e30, -1e30]]]], dtype="float64")
    assert (F.grid_sample(image(3, 3), grid, mode).numpy() == 0).all()


def test_infinity_is_at_the_border() -> None:
    x = image(3, 4)
    grid = tc.tensor([[[[np.inf, 1.0], [-np.inf, -np.inf]]]], dtype="float64", requires_grad=True)
    y = F.grid_sample(x, grid, padding_mode="border")
    assert y.tolist() == [[[[c[2][3], c[0][0]]] for c in x.tolist()[0]]]
    y.sum().backward()
    assert grid.grad is not None
    assert (grid.grad.numpy() == 0).all()


def test_no_channels_and_no_images_are_no_error() -> None:
    grid = tc.zeros(2, 3, 5, 2)
    assert F.grid_sample(tc.zeros(2, 0, 4, 4), grid).shape == (2, 0, 3, 5)
    assert F.grid_sample(tc.zeros(0, 2, 4, 4), grid[:0]).shape == (0, 2, 3, 5)
