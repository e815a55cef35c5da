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
from typing import Any, NamedTuple

import numpy as np
from numba import prange

from tinyconv.kernels.cpu.blocks import rows_of_block, sum_rows, summed_plan
from tinyconv.kernels.cpu.flat import (
    channels_first,
    channels_last,
    flat,
    is_dense,
    memory_axes,
    ordered_like,
    suits,
)
from tinyconv.kernels.cpu.options import inlined, parallel
from tinyconv.kernels.cpu.threads import use_threads
from tinyconv.kernels.reference import norm as reference
from tinyconv.kernels.reference.norm import channel_window_sum as channel_window_sum

Array = Any


class Plan(NamedTuple):
    """How an array is normalised: as (outer, summed, inner), `tail` neighbours of inner taken together."""

    array: Array
    shape: tuple[int, int, int]
    kept: list[int]
    tail: int

    def together(self, part: Array) -> Array:
        """Numbers (outer, inner): of each, the mean of the `tail` that belong together."""
        if self.tail == 1:
            return part
        means = part.reshape(part.shape[0], -1, self.tail).mean(axis=2)
        return np.repeat(means, self.tail, axis=1)

    def as_inner(self, part: Array) -> Array:
        """Statistics in the shape of the caller as float64 (outer, inner)."""
        single = part.transpose([*self.kept, *(i for i in range(part.ndim) if i not in self.kept)])
        return np.repeat(single.reshape(self.shape[0], -1), self.tail, axis=1).astype(np.float64)

    def as_given(self, part: Array, axes: tuple[int, ...]) -> Array:
        """Numbers (outer, inner) in the shape of the caller: `axes` with size 1."""
        size = [self.array.shape[i] for i in self.kept]
        order = [self.kept.index(i) for i in sorted(self.kept)]
        whole = [1 if i in axes else n for i, n in enumerate(self.array.shape)]
        single = part.reshape(self.shape[0], -1, self.tail)[..., 0]
        return np.ascontiguousarray(single.reshape(size).transpose(order), np.float32).reshape(whole)


def _plan(x: Array, axes: tuple[int, ...]) -> Plan | None:
    """How to normalise x over `axes`; None where no kernel fits.

    A group of channels of a channels-last image is not one piece of memory. Its channels are summed one
    by one at first, and then taken together.
    """
    if not suits(x) or not is_dense(x):
        return None
    plan = summed_plan(x, axes)
    if plan is not None:
        return Plan(*plan, 1)
    last = [i for i in memory_axes(x) if x.shape[i] > 1][-1]
    if last not in axes:
        return None
    plan = summed_plan(x, tuple(i for i in axes if i != last))
    if plan is None:
        return None
    return Plan(*plan[:2], [i for i in plan[2] if i != last], x.shape[last])


def normalize(x: Array, axes: tuple[int, ...], eps: float) -> tuple[Array, Array, Array]:
    """``(x - mean) / sqrt(var + eps)``, with the mean and the (biased) variance over `axes`."""
    plan = _plan(x, axes)
    if plan is None:
        return reference.normalize(x, axes, eps)
    use_threads()
    x = plan.array
    means, variances = _statistics(flat(x), plan.shape)
    mean = plan.together(means)
    var = plan.together(variances + np.square(means - mean))
    y = np.empty_like(x)
    ones, zeros = np.ones_like(mean, np.float32), np.zeros_like(mean, np.float32)
    _affine(flat(x), flat(y), *plan.shape, *_as_float32(mean, 1 / np.sqrt(var + eps)), ones, zeros)
    return y, plan.as_given(mean, axes), plan.as_given(var, axes)


def normalize_backward(
    grad: Array, grad_mean: Array, grad_var: Array, y: Array, var: Array, axes: tuple[int, ...], eps: float
) -> Array:
    """The gradient of x in `normalize`, from those of its three results."""
    plan = _plan(y, axes) if suits(y, grad, grad_mean, grad_var, var) else None
    if plan is None:
        return reference.normalize_backward(grad, grad_mean, grad_var, y, var, axes, eps)
    use_threads()
    y, count = plan.array, plan.shape[1]
    grad = ordered_like(grad, y)
    zeros = np.zeros((plan.shape[0], plan.shape[2]), np.float32)
    sums = _sum_products(flat(grad), flat(y), zeros, *plan.shape)
    total, product = (plan.together(part.sum(axis=1)) / count for part in sums)
    square = plan.as_inner(var) + eps
    share = count * plan.tail
    offset = total - np.sqrt(square) * plan.as_inner(grad_mean) / share
    slope = product - 2 * square * plan.as_inner(grad_var) / share
    result = np.empty_like(y)
    _combine(
        flat(grad), flat(y), flat(result), *plan.shape, zeros,
        *_as_float32(offset, slope, 1 / np.sqrt(square)),
    )  # fmt: skip
    return result


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
    shape = 1, count, channels
    mean = np.ascontiguousarray(mean).reshape(1, -1)
    sums = _sum_products(grad_rows.reshape(-1), rows.reshape(-1), mean, *shape)
    totals, products = (part[0].sum(axis=0) for part in sums)
    scale = 1 / np.sqrt(var.astype(np.float64) + eps)
    factor = scale if weight is None else scale * weight
    result = np.empty_like(rows)
    _combine(
        grad_rows.reshape(-1), rows.reshape(-1), result.reshape(-1), *shape, mean,
        *(part[None] for part in _as_float32(totals / count, products * scale**2 / count, factor)),
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


@inlined
def _side_by_side(part: Array, width: int) -> Array:
    """A vector of inner numbers as often as there are rows side by side."""
    wide = np.empty(width, np.float32)
    for c in range(width):
        wide[c] = part[c % part.size]
    return wide


@parallel
def _affine(
    x: Array, y: Array, outer: int, summed: int, inner: int, mean: Array, scale: Array,
    weight: Array, bias: Array,
) -> None:  # fmt: skip
    """y = (x - mean) * scale * weight + bias, each of these (outer, inner)."""
    side, rows = rows_of_block(summed, inner)
    blocks = (summed + rows - 1) // rows
    for task in prange(outer * blocks):
        n, block = task // blocks, task % blocks
        centre, shift = _side_by_side(mean[n], side * inner), _side_by_side(bias[n], side * inner)
        factor = _side_by_side(scale[n] * weight[n], side * inner)
        stop = (n * summed + min((block + 1) * rows, summed)) * inner
        for start in range((n * summed + block * rows) * inner, stop, side * inner):
            end = min(start + side * inner, stop)
            source, target = x[start:end], y[start:end]
            for c in range(source.size):
                target[c] = (source[c] - centre[c]) * factor[c] + shift[c]


@parallel
def _sum_products(grad: Array, x: Array, mean: Array, outer: int, summed: int, inner: int) -> Any:
    """Sums of grad and of grad * (x - mean) in each block: twice (outer, blocks, inner), in float64."""
    side, rows = rows_of_block(summed, inner)
    width = side * inner
    blocks = (summed + rows - 1) // rows
    totals = np.zeros((outer, blocks, inner))
    products = np.zeros((outer, blocks, inner))
    for task in prange(outer * blocks):
        n, block = task // blocks, task % blocks
        total, product = np.zeros(width, np.float32), np.zeros(width, np.float32)
        centre = _side_by_side(mean[n], width)
        stop = (n * summed + min((block + 1) * rows, summed)) * inner
        for start in range((n * summed + block * rows) * inner, stop, width):
            end = min(start + width, stop)
            g, value = grad[start:end], x[start:end]
            for c in range(g.size):
                total[c] += g[c]
                product[c] += g[c] * (value[c] - centre[c])
        for c in range(width):
            totals[n, block, c % inner] += total[c]
            products[n, block, c % inner] += product[c]
    return totals, products


@parallel
def _combine(
    grad: Array, x: Array, result: Array, outer: int, summed: int, inner: int, mean: Array, offset: Array,
    slope: Array, factor: Array,
) -> None:  # fmt: skip
    """result = (grad - offset - (x - mean) * slope) * factor, each of these (outer, inner)."""
    side, rows = rows_of_block(summed, inner)
    width = side * inner
    blocks = (summed + rows - 1) // rows
    for task in prange(outer * blocks):
        n, block = task // blocks, task % blocks
        centre, base = _side_by_side(mean[n], width), _side_by_side(offset[n], width)
        tilt, scale = _side_by_side(slope[n], width), _side_by_side(factor[n], width)
        stop = (n * summed + min((block + 1) * rows, summed)) * inner
        for start in range((n * summed + block * rows) * inner, stop, width):
            end = min(start + width, stop)
            g, value, target = grad[start:end], x[start:end], result[start:end]
            for c in range(g.size):
                target[c] = (g[c] - base[c] - (value[c] - centre[c]) * tilt[c]) * scale[c]
