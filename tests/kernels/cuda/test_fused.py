"""A fused CUDA kernel gives the bits of the CUDA kernels that it stands for."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.kernels.conv_case import channels_last
from tests.kernels.cuda.comparing import FUNCTIONS
from tests.kernels.cuda.conv_cases import LAYERS
from tinyconv.device import conv_algorithm
from tinyconv.kernels import find_kernel
from tinyconv.kernels.cuda import _convolution

Array = Any
functions = pytest.mark.parametrize(("activation", "numbers"), FUNCTIONS)
KEY, P = (3, 5), 0.3


def kernel(file: str, name: str) -> Any:
    return find_kernel("cuda", file, name)


def same(one: Any, two: Any) -> None:
    """Every bit, the sign of zero among them."""
    one, two = (x if isinstance(x, tuple) else (x,) for x in (one, two))
    assert len(one) == len(two)
    for a, b in zip(one, two, strict=True):
        assert (a is None) == (b is None)
        if a is not None:
            assert (a.shape, a.dtype) == (b.shape, b.dtype)
            assert a.get().tobytes() == b.get().tobytes()


@functions
@pytest.mark.parametrize("name", ["3x3", "depthwise", "volume"])
@pytest.mark.parametrize("algorithm", ["auto", "im2col"])
def test_convolution(cuda: Any, name: str, algorithm: str, activation: str, numbers: Any) -> None:
    case = LAYERS[name]
    for dtype in (np.float32, np.float64):
        x, weight, bias, grad = map(cuda.asarray, case.arrays(dtype))
        with conv_algorithm(algorithm):
            plain = kernel("conv", "conv")(x, weight, bias, *case.geometry)
            y = kernel("activation", activation)(plain, *numbers)
            arguments = x, weight, bias, *case.geometry, activation, numbers
            same(kernel("fused", "conv_activation")(*arguments), y)
            both = kernel("fused", "conv_activation_dropout")(*arguments, P, KEY)
            same(both, (y, kernel("dropout", "dropout")(y, P, KEY)))
            before = kernel("activation", f"{activation}_backward")(grad, y, *numbers)
            expected = kernel("conv", "conv_parameter_grads")(x, before, case.kernel_size, *case.geometry)
            found = kernel("fused", "conv_activation_parameter_grads")(
                grad, y, activation, numbers, x, case.kernel_size, *case.geometry
            )
        same(found, (before, *expected))


@functions
def test_a_convolution_whose_sums_are_in_parts(
    cuda: Any, activation: str, numbers: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr(_convolution, "multiprocessors", lambda: 100)
    monkeypatch.setattr(_convolution, "LEAST_TERMS", 16)
    case = LAYERS["3x3"]
    x, weight, bias, _ = map(cuda.asarray, case.arrays())
    for b in (bias, None):
        plain = kernel("conv", "conv")(x, weight, b, *case.geometry)
        y = kernel("activation", activation)(plain, *numbers)
        same(kernel("fused", "conv_activation")(x, weight, b, *case.geometry, activation, numbers), y)


@functions
@pytest.mark.parametrize("rows", [1, 70, 0])
def test_linear(cuda: Any, rows: int, activation: str, numbers: Any) -> None:
    rng = np.random.default_rng(0)
    for dtype in (np.float32, np.float64):
        shapes = (rows, 6), (9, 6), (9,), (rows, 9)
        x, weight, bias, grad = (cuda.asarray(rng.standard_normal(s).astype(dtype)) for s in shapes)
        y = kernel("activation", activation)(kernel("matmul", "linear")(x, weight, bias), *numbers)
        same(kernel("fused", "linear_activation")(x, weight, bias, activation, numbers), y)
        both = kernel("fused", "linear_activation_dropout")(x, weight, bias, activation, numbers, P, KEY)
        same(both, (y, kernel("dropout", "dropout")(y, P, KEY)))
        before = kernel("activation", f"{activation}_backward")(grad, y, *numbers)
        for wanted in ((True, True, True), (False, True, False)):
            expected = kernel("matmul", "linear_gradients")(before, x, weight, wanted)
            fused = kernel("fused", "linear_activation_gradients")
            same(fused(grad, y, activation, numbers, x, weight, wanted), expected)


def test_gradients_in_another_memory_order(cuda: Any) -> None:
    case = LAYERS["3x3"]
    x, _, _, grad = case.arrays()
    y = np.maximum(grad[::-1], 0)
    geometry = case.kernel_size, *case.geometry
    fused = kernel("fused", "conv_activation_parameter_grads")
    plain = fused(*map(cuda.asarray, (grad, y)), "relu", (), cuda.asarray(x), *geometry)
    turned = (cuda.asarray(channels_last(grad)), cuda.asarray(np.asfortranarray(y)))
    same(fused(*turned, "relu", (), cuda.asarray(x), *geometry), plain)
    assert np.array_equal(plain[0].get(), np.where(y > 0, grad, 0))
