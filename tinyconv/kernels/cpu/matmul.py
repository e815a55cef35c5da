"""Matrix products on the micro-kernel, without BLAS and its threads."""

from __future__ import annotations

from typing import Any

from tinyconv.kernels.cpu import reduction
from tinyconv.kernels.cpu._product import (
    FLOAT32,
    NO_BIAS,
    lies_by_columns,
    multiply,
    product,
    suits,
    suits_layer,
)
from tinyconv.kernels.reference import matmul as reference

Array = Any


def matmul(a: Array, b: Array) -> Array:
    """Matrix product of the last two axes; products of stacks of matrices are left to NumPy."""
    if b.ndim != 2 or not suits(a, b):
        return reference.matmul(a, b)
    return _stacked(product(_rows(a), b, NO_BIAS), a)


def linear(x: Array, weight: Array, bias: Array | None) -> Array:
    """``x @ weight.T + bias``: (..., out) of x (..., in), weight (out, in), bias (out,)."""
    fits = weight.ndim == 2 and suits_layer(x, weight)
    if not fits or (bias is not None and (bias.dtype != FLOAT32 or bias.shape != weight.shape[:1])):
        return reference.linear(x, weight, bias)
    return _stacked(product(_rows(x), weight.T, NO_BIAS if bias is None else bias), x)


def linear_gradients(
    grad: Array, x: Array, weight: Array, wanted: tuple[bool, bool, bool]
) -> tuple[Array | None, Array | None, Array | None]:
    """The gradients of x, weight and bias of `linear`, where `wanted`.

    That of x lies in memory as x does, and that of the weight in C order, as most weights do.
    """
    wants_x, wants_weight, wants_bias = wanted
    x_grad = weight_grad = bias_grad = None
    if wants_x:
        x_grad = matmul(weight.T, grad.T).T if lies_by_columns(x) else matmul(grad, weight)
    if wants_weight:
        weight_grad = multiply(grad.T, x, NO_BIAS, False) if suits(grad.T, x) else matmul(grad.T, x)
    if wants_bias:
        bias_grad = reduction.sum(grad, (0,), False)
    return x_grad, weight_grad, bias_grad


def _rows(x: Array) -> Array:
    return x if x.ndim == 2 else x.reshape(-1, x.shape[-1])


def _stacked(y: Array, x: Array) -> Array:
    """The rows of y in the shape that those of x had."""
    return y if x.ndim == 2 else y.reshape(*x.shape[:-1], y.shape[1])
