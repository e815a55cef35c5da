"""Resampling along one dimension, and its adjoint, by one loop: each line of y is a sum of lines of x.

A line is what lies behind one position of the axis in memory: the channels of a pixel, or a
whole row of pixels. The adjoint needs the table the other way round, for each position of its
result the lines that it went to; sorting the table gives that.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
from numba import prange

from tinyconv.kernels.cpu.flat import suits
from tinyconv.kernels.cpu.options import inlined, parallel
from tinyconv.kernels.cpu.threads import use_threads
from tinyconv.kernels.reference import resample as reference

Array = Any


def resample(x: Array, positions: Array, weights: Array, axis: int) -> Array:
    """Apply the map with `positions` and `weights`, both (n_out, taps), along `axis`."""
    if x.ndim < 3 or not suits(x):
        return reference.resample(x, positions, weights, axis)
    starts = np.arange(positions.shape[0] + 1) * positions.shape[1]
    return _along(x, axis, starts, positions.ravel(), weights.ravel())


def resample_adjoint(grad: Array, positions: Array, weights: Array, axis: int, size: int) -> Array:
    """The transposed map: each element is added, weighted, to the `size` positions it came from."""
    if grad.ndim < 3 or not suits(grad):
        return reference.resample_adjoint(grad, positions, weights, axis, size)
    order = np.argsort(positions.ravel(), kind="stable")
    starts = np.searchsorted(positions.ravel()[order], np.arange(size + 1))
    return _along(grad, axis, starts, order // positions.shape[1], weights.ravel()[order])


def _along(x: Array, axis: int, starts: Array, sources: Array, weights: Array) -> Array:
    """On `axis`, ``y[i] = sum of weights[k] * x[sources[k]]`` for k from starts[i] to starts[i + 1]."""
    use_threads()
    axis = x.ndim - 1 if axis == 1 else axis - (axis > 1)
    ordered = np.ascontiguousarray(np.moveaxis(x, 1, -1))
    before, after = ordered.shape[:axis], ordered.shape[axis + 1 :]
    count = starts.size - 1
    y = np.empty((*before, count, *after), x.dtype)
    _sum_lines(
        ordered.reshape(prod(before), ordered.shape[axis], prod(after)),
        y.reshape(prod(before), count, prod(after)),
        starts.astype(np.int64),
        sources.astype(np.int64),
        weights.astype(x.dtype),
    )
    return np.moveaxis(y, -1, 1)


@parallel
def _sum_lines(x: Array, y: Array, starts: Array, sources: Array, weights: Array) -> None:
    count, inner = y.shape[1:]
    for task in prange(y.shape[0] * count):
        n, i = task // count, task % count
        target, first, end = y[n, i], starts[i], starts[i + 1]
        if end == first:
            for c in range(inner):
                target[c] = 0
        elif end - first == 1:
            _weigh(target, x[n, sources[first]], weights[first])
        else:
            left, right = x[n, sources[first]], x[n, sources[first + 1]]
            _blend(target, left, right, weights[first], weights[first + 1])
        for k in range(first + 2, end - 1, 2):
            _add_two(target, x[n, sources[k]], x[n, sources[k + 1]], weights[k], weights[k + 1])
        if end - first > 2 and (end - first) % 2 == 1:
            _add(target, x[n, sources[end - 1]], weights[end - 1])


@inlined
def _weigh(target: Array, source: Array, weight: float) -> None:
    for c in range(target.size):
        target[c] = weight * source[c]


@inlined
def _blend(target: Array, left: Array, right: Array, before: float, after: float) -> None:
    for c in range(target.size):
        target[c] = before * left[c] + after * right[c]


@inlined
def _add_two(target: Array, left: Array, right: Array, before: float, after: float) -> None:
    for c in range(target.size):
        target[c] += before * left[c] + after * right[c]


@inlined
def _add(target: Array, source: Array, weight: float) -> None:
    for c in range(target.size):
        target[c] += weight * source[c]
