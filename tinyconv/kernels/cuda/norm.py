"""Launches the kernels of `norm.cu`, twins of `kernels/reference/norm.py`."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from tinyconv.kernels.cuda._columns import Runs, Stack
from tinyconv.kernels.cuda._launch import C_TYPES, channels_first, channels_last, in_order_of, kernel
from tinyconv.kernels.reference import norm as reference

Array = Any

SOURCE = "norm.cu"
NULL = 0
"""The pointer to no array; None is not one in every release of CuPy."""


def normalize(x: Array, axes: tuple[int, ...], eps: float) -> tuple[Array, Array, Array]:
    """``(x - mean) / sqrt(var + eps)``, with the mean and the (biased) variance over `axes`."""
    import cupy

    runs = _runs(x, axes)
    stack = None if runs is None else runs.take(longest=True)
    if runs is None or stack is None:
        return reference.normalize(x, axes, eps)
    means, variances = _moments(runs.array, stack)
    mean, var = means, variances
    if not runs.is_done():
        mean = runs.mean(means)
        var = runs.mean(variances + cupy.square(means - runs.spread(mean)))
        means, variances = runs.spread(mean), runs.spread(var)
    y = cupy.empty_like(runs.array)
    args = (runs.array, means, variances, NULL, NULL, y, float(eps))
    stack.launch_elements(_kernel("normalized", x.dtype), args)
    return y, *(runs.as_given(part.astype(x.dtype), True) for part in (mean, var))


def normalize_backward(
    grad: Array, grad_mean: Array, grad_var: Array, y: Array, var: Array, axes: tuple[int, ...], eps: float
) -> Array:
    """The gradient of x in `normalize`, from those of its three results."""
    import cupy

    runs = _runs(y, axes, grad, grad_mean, grad_var, var)
    stack = None if runs is None else runs.take(longest=True)
    if runs is None or stack is None:
        return reference.normalize_backward(grad, grad_mean, grad_var, y, var, axes, eps)
    grad = in_order_of(runs.array, grad)
    totals, products = (runs.mean(part) / stack.summed for part in _products(grad, runs.array, NULL, stack))
    square = runs.as_left(var).astype(np.float64) + eps
    deviation, count = cupy.sqrt(square), prod(y.shape[axis] for axis in axes)
    offset = totals - deviation * runs.as_left(grad_mean) / count
    slope = products - 2 * square * runs.as_left(grad_var) / count
    out = cupy.empty_like(runs.array)
    args = (grad, runs.array, *map(runs.spread, (offset, slope, deviation)), out)
    stack.launch_elements(_kernel("normalize_backward", y.dtype), args)
    return out


def batch_norm(x: Array, weight: Array | None, bias: Array | None, eps: float) -> tuple[Array, Array, Array]:
    """``(x - mean) / sqrt(var + eps) * weight + bias``, mean and variance of each channel."""
    import cupy

    if not _suit(x, weight, bias):
        return reference.batch_norm(x, weight, bias, eps)
    rows = channels_last(x)
    stack = _channels(rows)
    mean, var = _moments(rows, stack)
    y = cupy.empty_like(rows)
    args = (rows, mean, var, *map(_vector, (weight, bias)), y, float(eps))
    stack.launch_elements(_kernel("normalized", x.dtype), args)
    return channels_first(y), mean.astype(x.dtype), var.astype(x.dtype)


def batch_norm_backward(
    grad: Array, x: Array, weight: Array | None, mean: Array, var: Array, eps: float
) -> tuple[Array, Array, Array]:
    """The gradients of x, weight and bias."""
    import cupy

    if not _suit(x, grad, weight, mean, var):
        return reference.batch_norm_backward(grad, x, weight, mean, var, eps)
    rows, grads = channels_last(x), channels_last(grad)
    weight, mean, var = map(_vector, (weight, mean, var))
    stack = _channels(rows)
    sums = _products(grads, rows, mean, stack)
    out = cupy.empty_like(rows)
    grad_weight, grad_bias = cupy.empty_like(mean), cupy.empty_like(mean)
    args = (grads, rows, mean, var, weight, *sums, out, grad_weight, grad_bias, float(eps))
    stack.launch_elements(_kernel("batch_norm_backward", x.dtype), args)
    return channels_first(out), grad_weight, grad_bias


def channel_affine(x: Array, scale: Array, shift: Array) -> Array:
    """Each channel of x times its number of `scale`, plus that of `shift`."""
    import cupy

    if not _suit(x, scale, shift):
        return reference.channel_affine(x, scale, shift)
    rows = channels_last(x)
    y = cupy.empty_like(rows)
    args = (rows, _vector(scale), _vector(shift), y)
    _channels(rows).launch_elements(_kernel("channel_affine", x.dtype), args)
    return channels_first(y)


def channel_window_sum(x: Array, before: int, after: int) -> Array:
    """y[:, c] = the sum of x[:, c - before] to x[:, c + after]."""
    import cupy

    if not _suit(x):
        return reference.channel_window_sum(x, before, after)
    rows = channels_last(x)
    y = cupy.empty_like(rows)
    _channels(rows).launch_elements(_kernel("channel_window_sum", x.dtype), (rows, y, before, after))
    return channels_first(y)


def _suit(x: Array, *others: Array | None) -> bool:
    """Whether x (N, C, *spatial) is not empty, and all are float32 or all float64."""
    if x.ndim < 2 or x.size == 0 or str(x.dtype) not in C_TYPES:
        return False
    return all(other is None or other.dtype == x.dtype for other in others)


def _runs(x: Array, axes: tuple[int, ...], *others: Array) -> Runs | None:
    suits = x.ndim > 0 and x.size > 0 and str(x.dtype) in C_TYPES
    return Runs(x, axes) if suits and all(other.dtype == x.dtype for other in others) else None


def _channels(rows: Array) -> Stack:
    """An array (N, *spatial, C) as one matrix with a column for each channel."""
    return Stack(1, prod(rows.shape[:-1]), rows.shape[-1])


def _kernel(name: str, dtype: Any) -> Any:
    return kernel(SOURCE, f"{name}<{C_TYPES[str(dtype)]}>")


def _vector(part: Array | None) -> Array:
    """A number for each channel, side by side in memory."""
    import cupy

    return NULL if part is None else cupy.ascontiguousarray(part)


def _moments(x: Array, stack: Stack) -> tuple[Array, Array]:
    """Mean and variance of each column of the dense array x, in float64."""
    import cupy

    pieces = stack.pieces()
    moments = cupy.empty((stack.columns, pieces, 3), "float64")
    stack.launch(_kernel("moments_of_pieces", x.dtype), pieces, (x, moments))
    return _join("join_moments", moments)


def _products(grad: Array, x: Array, mean: Array, stack: Stack) -> tuple[Array, Array]:
    """The sums of grad and of grad * (x - mean) of each column, in float64."""
    import cupy

    pieces = stack.pieces()
    products = cupy.empty((stack.columns, pieces, 2), "float64")
    stack.launch(_kernel("products_of_pieces", x.dtype), pieces, (grad, x, mean, products))
    return _join("join_products", products)


def _join(name: str, parts: Array) -> tuple[Array, Array]:
    """What a kernel joins of the parts (columns, pieces, numbers) of each column: two numbers."""
    import cupy

    columns, pieces, _ = parts.shape
    results = cupy.empty(columns, "float64"), cupy.empty(columns, "float64")
    Stack(columns, pieces, 1).launch(kernel(SOURCE, name), 1, (parts, *results))
    return results
