"""Matrix products on a GPU: the twins of `kernels/reference/matmul.py`, by cuBLAS (`_products.py`)."""

from __future__ import annotations

from typing import Any

from tinyconv.device import FLOAT_DTYPES
from tinyconv.kernels.cuda._gradients import sum_of_columns
from tinyconv.kernels.cuda._products import is_layer, product, product_of_layer
from tinyconv.kernels.reference import matmul as reference

Array = Any


def matmul(a: Array, b: Array) -> Array:
    """Matrix product of the last two axes, (..., m, k) and (..., k, n) to (..., m, n)."""
    return product(a, b)


def linear(x: Array, weight: Array, bias: Array | None) -> Array:
    """``x @ weight.T + bias``: (..., out) of x (..., in), weight (out, in), bias (out,)."""
    if not is_layer(x, weight, bias):
        return reference.linear(x, weight, bias)
    return product_of_layer(x, weight, bias)


def linear_gradients(
    grad: Array, x: Array, weight: Array, wanted: tuple[bool, bool, bool]
) -> tuple[Array | None, Array | None, Array | None]:
    """The gradients of x, weight and bias of `linear`, where `wanted`."""
    import cupy

    wants_x, wants_weight, wants_bias = wanted
    bias_grad = None
    if wants_bias and grad.dtype in FLOAT_DTYPES:
        bias_grad = sum_of_columns(cupy.ascontiguousarray(grad), grad.shape[1])[0]
    elif wants_bias:
        bias_grad = grad.sum(axis=0)
    return (
        matmul(grad, weight) if wants_x else None,
        matmul(grad.T, x) if wants_weight else None,
        bias_grad,
    )
