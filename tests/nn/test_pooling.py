"""Pooling layers: equal to PyTorch's, in 1, 2 and 3 dimensions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinyconv as tc
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


def test_the_options_of_a_layer_are_shown() -> None:
    layer = nn.AvgPool3d(2, padding=1, count_include_pad=False, divisor_override=3)
    shown = "AvgPool3d(kernel_size=2, stride=2, padding=1, count_include_pad=False, divisor_override=3)"
    assert repr(layer) == shown
    assert repr(nn.MaxPool1d(3, 2)) == "MaxPool1d(kernel_size=3, stride=2, padding=0)"


def test_a_layer_refuses_images_of_other_dimensions() -> None:
    with pytest.raises(ShapeError, match=r"max_pool1d: input is of shape \(1, 2, 8, 8\).*\(N, C, L\)"):
        nn.MaxPool1d(2)(tc.ones(1, 2, 8, 8))
