"""Matrix products that a CUDA graph can hold: those of convolutions.

A convolution whose kernel has one tap is a matrix product, and so is its gradient in the weight:

    y[pixel, channel]    = sum over terms  of x[pixel, term] * weight[channel, term]       conv.cu
    gradient[channel, t] = sum over pixels of grad[pixel, channel] * x[pixel, t]           conv_weight_grad.cu

Groups of channels are a stack of products. Everything else is said there: tiles, tensor cores, the epilogue,
the order of the sums.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from tinyconv.device import FLOAT_DTYPES
from tinyconv.kernels.cuda._convolution import NOTHING, Epilogue, convolve
from tinyconv.kernels.cuda._gradients import weight_gradient

Array = Any

ONE_TAP = (1,), (0,), (1,)
"""Stride, padding and dilation."""

MOST_NUMBERS = 2**31
"""The kernels count the numbers of a weight in 32 bits."""


def is_of_tiles(a: Array, b: Array) -> bool:
    """Whether `product` covers matrices, or stacks of them: one float dtype, and something to add up."""
    if not (a.dtype == b.dtype and a.dtype in FLOAT_DTYPES and a.size and b.size):
        return False
    return prod(_lead(a, b)) * prod(b.shape[-2:]) < MOST_NUMBERS


def product(a: Array, b: Array) -> Array:
    """`matmul`, where `is_of_tiles`."""
    if a.ndim == 1:
        return product(a[None], b)[..., 0, :]
    if b.ndim == 1:
        return product(a, b[:, None])[..., 0]
    if b.ndim > 2:
        return _stack_of_products(a, b)
    if a.ndim == 2 and a.T.flags.c_contiguous and not a.flags.c_contiguous:
        return weight_gradient(b[:, :, None], a.T[:, :, None], (1,), *ONE_TAP, 1)[:, :, 0]
    return product_of_layer(a, b.T, None)


def product_of_layer(x: Array, weight: Array, bias: Array | None, epilogue: Epilogue = NOTHING) -> Array:
    """``x @ weight.T + bias`` of x (..., in), weight (out, in), and an activation function, in one pass."""
    rows = x.reshape(-1, x.shape[-1])
    y = convolve(rows[:, :, None], weight[:, :, None], bias, *ONE_TAP, 1, epilogue)
    return y.reshape(*x.shape[:-1], len(weight))


def _stack_of_products(a: Array, b: Array) -> Array:
    """Products of (..., m, k) and (..., k, n): a convolution of m pixels with k channels in each group."""
    import cupy

    lead = _lead(a, b)
    count, (m, k), n = prod(lead), a.shape[-2:], b.shape[-1]
    left = cupy.broadcast_to(a, (*lead, m, k)).reshape(count, m, k)
    right = cupy.broadcast_to(b, (*lead, k, n)).reshape(count, k, n)
    x = left.swapaxes(0, 1).reshape(m, count * k, 1)
    weight = right.swapaxes(1, 2).reshape(count * n, k, 1)
    y = convolve(x, weight, None, *ONE_TAP, count).reshape(m, count, n)
    return cupy.ascontiguousarray(y.swapaxes(0, 1)).reshape(*lead, m, n)


def _lead(a: Array, b: Array) -> tuple[int, ...]:
    """The sizes of the stack."""
    return np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
