"""Pooling layers: equal to PyTorch's, in 1, 2 and 3 dimensions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinyconv as tc
import tinyconv.nn.functional as F
from tests.backends import BACKENDS, kernels
from tinyconv import nn
from tinyconv.errors import ShapeError

LAYERS: dict[str, tuple[Callable[[Any], Any], tuple[int, ...]]] = {
    "MaxPool1d": (lambda lib: lib.MaxPool1d(3, 2, 1, 2, False, True), (2, 3, 10)),
    "MaxPool2d of one image": (lambda lib: lib.MaxPool2d((2, 3)), (3, 6, 7)),
    "MaxPool3d": (lambda lib: lib.MaxPool3d((1, 2, 3), ceil_mode=True), (2, 3, 3, 5, 7)),
    "AvgPool1d": (lambda lib: lib.AvgPool1d(3, 2, 1, True, False), (3, 10)),
    "AvgPool2d divided": (lambda lib: lib.AvgPool2d(3, 2, 1, True, True, 7), (2, 3, 6, 8)),
    "AvgPool3d": (lambda lib: lib.AvgPool3d(2, 1, (0, 1, 1), divisor_override=3), (2, 3, 3, 5, 4)),
    "AdaptiveAvgPool1d": (lambda lib: lib.AdaptiveAvgPool1d(3), (3, 10)),
    "AdaptiveAvgPool2d": (lambda lib: lib.AdaptiveAvgPool2d((None, 3)), (2, 3, 4, 5)),
    "AdaptiveAvgPool3d": (lambda lib: lib.AdaptiveAvgPool3d((1, 2, 3)), (2, 3, 4, 5, 2)),
    "AdaptiveMaxPool1d": (lambda lib: lib.AdaptiveMaxPool1d(3), (2, 3, 10)),
    "AdaptiveMaxPool2d": (lambda lib: lib.AdaptiveMaxPool2d(1), (3, 4, 5)),
    "AdaptiveMaxPool3d": (lambda lib: lib.AdaptiveMaxPool3d(2), (2, 3, 4, 5, 3)),
    "LPPool1d": (lambda lib: lib.LPPool1d(2, 3, 2, True), (2, 3, 8)),
    "LPPool2d": (lambda lib: lib.LPPool2d(2, (2, 3)), (2, 3, 6, 7)),
    "LPPool3d": (lambda lib: lib.LPPool3d(4.0, 2), (3, 4, 5, 6)),
}


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_is_pytorchs(name: str, backend: str) -> None:
    torch = pytest.importorskip("torch")
    build, shape = LAYERS[name]
    x = np.random.default_rng(0).standard_normal(shape)
    a, b = tc.tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)
    with kernels(backend):
        y = build(nn)(a)
        (y * y).sum().backward()
    z = build(torch.nn)(b)
    (z * z).sum().backward()
    np.testing.assert_allclose(y.detach().numpy(), z.detach().numpy(), rtol=1e-9, atol=1e-11)
    np.testing.assert_allclose(a.grad.numpy(), b.grad.numpy(), rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("dims", [1, 2, 3])
def test_unpooling_puts_back_what_pooling_took(dims: int) -> None:
    torch = pytest.importorskip("torch")
    x = np.random.default_rng(0).standard_normal((2, 3, 5, 6, 7)[: dims + 2])
    results = []
    for lib, make in ((nn, tc.tensor), (torch.nn, torch.tensor)):
        pool = getattr(lib, f"MaxPool{dims}d")(2, return_indices=True)
        values, indices = pool(make(x))
        results.append(getattr(lib, f"MaxUnpool{dims}d")(2)(values, indices, x.shape[2:]).numpy())
    np.testing.assert_array_equal(*results)
    kept = results[0] != 0
    assert kept.sum() == 6 * np.prod([n // 2 for n in x.shape[2:]])
    np.testing.assert_array_equal(results[0][kept], x[kept])


def special_values() -> np.ndarray:
    """Numbers with ties, infinities and NaN."""
    rng = np.random.default_rng(0)
    x = rng.integers(0, 3, (2, 3, 9, 7)).astype(np.float64)
    places = rng.random(x.shape) < 0.1
    x[places] = rng.choice([np.nan, np.inf, -np.inf], places.sum())
    return x


@pytest.mark.parametrize("size", [1, (2, 3), (4, 5), (9, 7), (11, 3)])
def test_ties_and_nan_in_adaptive_pooling_are_decided_as_in_pytorch(size: Any) -> None:
    torch = pytest.importorskip("torch")
    results = []
    for lib, make in ((nn, tc.tensor), (torch.nn, torch.tensor)):
        x = make(special_values())
        values, indices = lib.AdaptiveMaxPool2d(size, return_indices=True)(x)
        results.append((values.numpy(), indices.numpy(), lib.AdaptiveAvgPool2d(size)(x).numpy()))
    for ours, theirs in zip(*results, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12)


def test_the_norm_of_zeros_has_gradient_zero() -> None:
    for p in (1, 2, 2.5):
        x = tc.tensor(np.zeros((1, 4, 4)), requires_grad=True)
        y = F.lp_pool2d(x, p, 2)
        y.sum().backward()
        assert (y.data.numpy() == 0).all() and (x.grad.data.numpy() == 0).all()


def test_adaptive_windows_by_hand() -> None:
    x = tc.tensor([[0.0, 1.0, 2.0, 3.0, 4.0]])
    assert F.adaptive_avg_pool1d(x, 3).tolist() == [[0.5, 2.0, 3.5]]
    assert F.adaptive_max_pool1d(x, 3).tolist() == [[1.0, 3.0, 4.0]]
    assert F.adaptive_avg_pool1d(x[:, :2], 3).tolist() == [[0.0, 0.5, 1.0]]


def test_the_options_of_a_layer_are_shown() -> None:
    layer = nn.AvgPool3d(2, padding=1, count_include_pad=False, divisor_override=3)
    shown = "AvgPool3d(kernel_size=2, stride=2, padding=1, count_include_pad=False, divisor_override=3)"
    assert repr(layer) == shown
    assert repr(nn.AdaptiveMaxPool2d((None, 3))) == "AdaptiveMaxPool2d(output_size=(None, 3))"
    assert repr(nn.LPPool2d(2, 3)) == "LPPool2d(norm_type=2, kernel_size=3, stride=None, ceil_mode=False)"
    assert repr(nn.MaxPool1d(3, 2)) == "MaxPool1d(kernel_size=3, stride=2, padding=0)"


def test_a_layer_refuses_images_of_other_dimensions() -> None:
    with pytest.raises(ShapeError, match=r"max_pool1d: input is of shape \(1, 2, 8, 8\).*\(N, C, L\)"):
        nn.MaxPool1d(2)(tc.ones(1, 2, 8, 8))
