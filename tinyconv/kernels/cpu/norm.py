"""Normalisation in two passes over memory: statistics, then the result.

An array whose normalised axes are neighbours in memory is an array (outer, summed, inner), see
`blocks.py`. The blocks of the summed axis are small enough to be read
twice from the cache: first for a block's mean, then for the squares around that mean. The blocks'
means and squares are put together in float64 (Chan, Golub and LeVeque 1979). So the variance is
accurate however far the mean is from 0, memory is read once, and the result is the same for
any number of threads.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
from numba import prange

from tinyconv.kernels.cpu.blocks import rows_of_block, sum_rows, summed_plan
from tinyconv.kernels.cpu.flat import channels_first, channels_last, flat, is_dense, ordered_like, suits
from tinyconv.kernels.cpu.options import inlined, parallel
from tinyconv.kernels.cpu.threads import use_threads
from tinyconv.kernels.reference import norm as reference
from tinyconv.kernels.reference.norm import channel_window_sum as channel_window_sum

Array = Any


def normalize(x: Array, axes: tuple[int, ...], eps: float) -> tuple[Array, Array, Array]:
    """``(x - mean) / sqrt(var + eps)``, with the mean and the (biased) variance over `axes`."""
    plan = summed_plan(x, axes) if suits(x) and is_dense(x) else None
    if plan is None:
        return reference.normalize(x, axes, eps)
    use_threads()
    x, shape, kept = plan
    mean, var = _statistics(flat(x), shape)
    y = np.empty_like(x)
    ones, zeros = np.ones_like(mean, np.float32), np.zeros_like(mean, np.float32)
    _affine(flat(x), flat(y), *shape, *_as_float32(mean, 1 / np.sqrt(var + eps)), ones, zeros)
    order = [kept.index(i) for i in sorted(kept)]
    statistics = (
        part.reshape([x.shape[i] for i in kept])
        .transpose(order)
        .reshape([1 if i in axes else n for i, n in enumerate(x.shape)])
        for part in _as_float32(mean, var)
    )
    return y, *statistics


def batch_norm(x: Array, weight: Array | None, bias: Array | None, eps: float) -> tuple[Array, Array, Array]:
    """``(x - mean) / sqrt(var + eps) * weight + bias``, mean and variance of each channel."""
    if not _is_fast(x, weight, bias):
        return reference.batch_norm(x, weight, bias, eps)
    use_threads()
    rows = channels_last(x)
    shape = 1, prod(rows.shape[:-1]), rows.shape[-1]
    mean, var = _statistics(rows.reshape(-1), shape)
    scale = 1 / np.sqrt(var + eps)
    y = np.empty_like(rows)
    _affine(
        rows.reshape(-1), y.reshape(-1), *shape, *_as_float32(mean, scale),
        *(_vector(part, default, mean) for part, default in ((weight, 1), (bias, 0))),
    )  # fmt: skip
    return channels_first(y), *_as_float32(mean[0], var[0])


def batch_norm_backward(
    grad: Array, x: Array, weight: Array | None, mean: Array, var: Array, eps: float
) -> tuple[Array, Array, Array]:
    """The gradients of x, weight and bias."""
    if not _is_fast(x, grad, weight, mean, var):
        return reference.batch_norm_backward(grad, x, weight, mean, var, eps)
    use_threads()
    rows = channels_last(x)
    grad_rows = ordered_like(channels_last(grad), rows)
    count, channels = prod(rows.shape[:-1]), rows.shape[-1]
    mean = np.ascontiguousarray(mean)
    totals, products = (
        part.sum(axis=0) for part in _sum_products(grad_rows.reshape(-1), rows.reshape(-1), mean, channels)
    )
    scale = 1 / np.sqrt(var.astype(np.float64) + eps)
    factor = scale if weight is None else scale * weight
    result = np.empty_like(rows)
    _combine(
        grad_rows.reshape(-1), rows.reshape(-1), result.reshape(-1), mean,
        *_as_float32(totals / count, products * scale**2 / count, factor),
    )  # fmt: skip
    return channels_first(result), *_as_float32(products * scale, totals)


def channel_affine(x: Array, scale: Array, shift: Array) -> Array:
    """Each channel of x times its number of `scale`, plus that of `shift`."""
    if not _is_fast(x, scale, shift):
        return reference.channel_affine(x, scale, shift)
    rows = channels_last(x)
    shape = 1, prod(rows.shape[:-1]), rows.shape[-1]
    use_threads(x.size)
    factor, offset = (np.ascontiguousarray(vector).reshape(1, -1) for vector in (scale, shift))
    y = np.empty_like(rows)
    zeros = np.zeros_like(factor)
    _affine(rows.reshape(-1), y.reshape(-1), *shape, zeros, factor, np.ones_like(factor), offset)
    return channels_first(y)


def _is_fast(x: Array, *others: Array | None) -> bool:
    return suits(x, *(part for part in others if part is not None))


def _as_float32(*arrays: Array) -> tuple[Array, ...]:
    return tuple(np.ascontiguousarray(array, np.float32) for array in arrays)


def _vector(part: Array | None, default: float, like: Array) -> Array:
    """A weight or bias (C,) as (1, C)."""
    if part is None:
        return np.full(like.shape, default, np.float32)
    return np.ascontiguousarray(part).reshape(like.shape)


def _statistics(x: Array, shape: tuple[int, int, int]) -> tuple[Array, Array]:
    """Mean and variance (outer, inner), in float64, of the flat array x of (outer, summed, inner)."""
    means, squares, counts = _statistics_of_blocks(x, *shape)
    mean = (means * counts).sum(axis=1) / shape[1]
    between = (np.square(means - mean[:, None]) * counts).sum(axis=1)
    return mean, (squares.sum(axis=1) + between) / shape[1]


@parallel
def _statistics_of_blocks(x: Array, outer: int, summed: int, inner: int) -> Any:
    """Mean, sum of squares around it, and number of elements of each block: (outer, blocks, inner)."""
    side, rows = rows_of_block(summed, inner)
    width = side * inner
    blocks = (summed + rows - 1) // rows
    means = np.zeros((outer, blocks, inner))
    squares = np.zeros((outer, blocks, inner))
    counts = np.zeros((outer, blocks, 1))
    for task in prange(outer * blocks):
        n, block = task // blocks, task % blocks
        start, stop = block * rows, min((block + 1) * rows, summed)
        here = x[(n * summed + start) * inner : (n * summed + stop) * inner]
        counts[n, block, 0] = stop - start
        sum_rows(here, inner, width, means[n, block])
        centre = np.empty(width, np.float32)
        for c in range(inner):
            means[n, block, c] /= stop - start
        for c in range(width):
            centre[c] = means[n, block, c % inner]
        _sum_squares(here, centre, inner, width, squares[n, block])
        # What rounding the centre to float32 added to the squares.
        for c in range(inner):
            squares[n, block, c] -= (stop - start) * (means[n, block, c] - centre[c]) ** 2
    return means, squares, counts


@inlined
def _sum_squares(x: Array, centre: Array, inner: int, width: int, total: Array) -> None:
    """Add the squares of the rows of x, less `centre`, to `total`, `width` numbers at a time."""
    lanes = np.zeros(width, np.float32)
    for start in range(0, x.size - width + 1, width):
        row = x[start : start + width]
        for c in range(width):
            lanes[c] += (row[c] - centre[c]) * (row[c] - centre[c])
    rest = x[x.size - x.size % width :]
    for c in range(rest.size):
        lanes[c] += (rest[c] - centre[c]) * (rest[c] - centre[c])
    for c in range(width):
        total[c % inner] += lanes[c]


@parallel
def _affine(
    x: Array, y: Array, outer: int, summed: int, inner: int, mean: Array, scale: Array,
    weight: Array, bias: Array,
) -> None:  # fmt: skip
    """y = (x - mean) * scale * weight + bias, each of these (outer, inner)."""
    _, rows = rows_of_block(summed, inner)
    blocks = (summed + rows - 1) // rows
    for task in prange(outer * blocks):
        n, block = task // blocks, task % blocks
        centre, shift = mean[n], bias[n]
        factor = scale[n] * weight[n]
        for row in range(n * summed + block * rows, n * summed + min((block + 1) * rows, summed)):
            source, target = x[row * inner : (row + 1) * inner], y[row * inner : (row + 1) * inner]
            for c in range(inner):
                target[c] = (source[c] - centre[c]) * factor[c] + shift[c]


@parallel
def _sum_products(grad: Array, x: Array, mean: Array, channels: int) -> Any:
    """Sums of grad and of grad * (x - mean) in each block: twice (blocks, channels), in float64."""
    summed = x.size // channels
    _, rows = rows_of_block(summed, channels)
    blocks = (summed + rows - 1) // rows
    totals = np.zeros((blocks, channels))
    products = np.zeros((blocks, channels))
    for block in prange(blocks):
        total, product = np.zeros(channels, np.float32), np.zeros(channels, np.float32)
        for row in range(block * rows, min((block + 1) * rows, summed)):
            g, value = grad[row * channels : (row + 1) * channels], x[row * channels : (row + 1) * channels]
            for c in range(channels):
                total[c] += g[c]
                product[c] += g[c] * (value[c] - mean[c])
        for c in range(channels):
            totals[block, c] = total[c]
            products[block, c] = product[c]
    return totals, products


@parallel
def _combine(
    grad: Array, x: Array, result: Array, mean: Array, offset: Array, slope: Array, factor: Array
) -> None:
    """result = (grad - offset - (x - mean) * slope) * factor, each a vector of channels."""
    channels = mean.size
    summed = x.size // channels
    _, rows = rows_of_block(summed, channels)
    for block in prange((summed + rows - 1) // rows):
        for row in range(block * rows, min((block + 1) * rows, summed)):
            g, value = grad[row * channels : (row + 1) * channels], x[row * channels : (row + 1) * channels]
            target = result[row * channels : (row + 1) * channels]
            for c in range(channels):
                target[c] = (g[c] - offset[c] - (value[c] - mean[c]) * slope[c]) * factor[c]
