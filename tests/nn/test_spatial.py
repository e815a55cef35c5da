"""Padding, upsampling and embedding layers against their PyTorch twins."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinyconv as tc
from tinyconv import nn
from tinyconv.errors import ArgumentError

SHAPES = {"1d": (2, 3, 5), "2d": (2, 3, 5, 4), "3d": (2, 3, 5, 4, 3)}


def assert_twins(layer: Any, twin: Any, shape: tuple[int, ...]) -> None:
    """Same output, same input gradient and same repr."""
    torch = pytest.importorskip("torch")
    values = np.random.default_rng(0).standard_normal(shape)
    x, other = tc.tensor(values, requires_grad=True), torch.tensor(values, requires_grad=True)
    y, expected = layer(x), twin(other)
    np.testing.assert_allclose(y.detach().numpy(), expected.detach().numpy(), rtol=0, atol=1e-12)
    (y * y).sum().backward()
    (expected * expected).sum().backward()
    assert x.grad is not None
    np.testing.assert_allclose(x.grad.numpy(), other.grad.numpy(), rtol=0, atol=1e-11)
    assert repr(layer) == repr(twin)


@pytest.mark.parametrize("dims", SHAPES)
@pytest.mark.parametrize("kind", ["ZeroPad", "ConstantPad", "ReflectionPad", "ReplicationPad", "CircularPad"])
@pytest.mark.parametrize("uneven", [False, True])
def test_padding_layers(kind: str, dims: str, uneven: bool) -> None:
    torch = pytest.importorskip("torch")
    padding = (1, 2, 0, 1, 2, 0)[: 2 * int(dims[0])] if uneven else 1
    arguments = (padding, 0.5) if kind == "ConstantPad" else (padding,)
    name = kind + dims
    assert_twins(getattr(nn, name)(*arguments), getattr(torch.nn, name)(*arguments), SHAPES[dims])


@pytest.mark.parametrize("padding", [1.5, (1, 1), "same", (1, 1, 1, True), None])
def test_padding_layers_refuse_what_is_not_one_or_four_ints(padding: Any) -> None:
    with pytest.raises(ArgumentError, match=r"ZeroPad2d: padding is .* expected an int, or 4 of them"):
        nn.ZeroPad2d(padding)


def test_the_constant_must_be_a_number() -> None:
    with pytest.raises(ArgumentError, match="ConstantPad1d: value"):
        nn.ConstantPad1d(1, "one")


@pytest.mark.parametrize(
    ("name", "arguments", "shape"),
    [
        ("Upsample", {"scale_factor": 2}, (2, 3, 4, 5)),
        ("Upsample", {"size": 7, "mode": "linear"}, (2, 3, 4)),
        ("Upsample", {"scale_factor": (2, 1.5), "mode": "bicubic", "align_corners": True}, (2, 3, 4, 5)),
        ("UpsamplingNearest2d", {"size": (3, 9)}, (2, 3, 4, 5)),
        ("UpsamplingBilinear2d", {"scale_factor": 2}, (2, 3, 4, 5)),
        ("PixelShuffle", {"upscale_factor": 2}, (2, 8, 3, 2)),
        ("PixelUnshuffle", {"downscale_factor": 2}, (2, 3, 4, 6)),
        ("ChannelShuffle", {"groups": 2}, (2, 6, 3, 2)),
    ],
)
def test_layers_that_resize_and_shuffle(name: str, arguments: dict[str, Any], shape: tuple[int, ...]) -> None:
    torch = pytest.importorskip("torch")
    assert_twins(getattr(nn, name)(**arguments), getattr(torch.nn, name)(**arguments), shape)


def test_upsample_refuses_an_unknown_mode_at_once() -> None:
    with pytest.raises(ArgumentError, match="Upsample: mode"):
        nn.Upsample(scale_factor=2, mode="lanczos")


@pytest.mark.parametrize("mode", ["nearest", "nearest-exact", "area", "bilinear", "bicubic"])
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_pixel_that_is_not_finite_stays_in_its_neighbourhood(mode: str, bad: float) -> None:
    x = tc.zeros(1, 1, 12, 12)
    x[0, 0, 5, 5] = bad
    for size in (24, 7):
        y = tc.nn.functional.interpolate(x, size, mode=mode).numpy()[0, 0]
        scale = size / 12
        assert not np.isfinite(y).all() or mode.startswith("nearest")
        far = abs(np.arange(size) + 0.5 - 5.5 * scale) > 3 * max(scale, 1)
        assert (y[far] == 0).all() and (y[:, far] == 0).all()
