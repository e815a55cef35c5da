"""Matrix products on the micro-kernel, without BLAS and its threads."""

from __future__ import annotations

from typing import Any

import numpy as np

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
    """Matrix product of the last two axes; of stacks one by one; small ones are left to NumPy."""
    if b.ndim == 2 and suits(a, b):
        return _stacked(product(_rows(a), b, NO_BIAS), a)
    if min(a.ndim, b.ndim) >= 2 < max(a.ndim, b.ndim) and a.size and b.size:
        one, other = a[(0,) * (a.ndim - 2)], b[(0,) * (b.ndim - 2)]
        if suits(one, other):
            return _products_of_stacks(a, b)
    return reference.matmul(a, b)


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


def _products_of_stacks(a: Array, b: Array) -> Array:
    """a (..., m, k) times b (..., k, n), where each product is worth the kernel; leading axes broadcast."""
    stack = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    a, b = np.broadcast_to(a, (*stack, *a.shape[-2:])), np.broadcast_to(b, (*stack, *b.shape[-2:]))
    y = np.empty((*stack, a.shape[-2], b.shape[-1]), a.dtype)
    for place in np.ndindex(stack):
        y[place] = product(a[place], b[place], NO_BIAS)
    return y


def _rows(x: Array) -> Array:
    return x if x.ndim == 2 else x.reshape(-1, x.shape[-1])


def _stacked(y: Array, x: Array) -> Array:
    """The rows of y in the shape that those of x had."""
    return y if x.ndim == 2 else y.reshape(*x.shape[:-1], y.shape[1])
