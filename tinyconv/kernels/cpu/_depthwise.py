"""Depthwise convolution: each channel has a filter of its own, so channels run side by side in vectors.

With one input channel and one output channel a group there is no matrix product to be found, and
no reason for a micro-kernel: an output pixel is a sum over the taps of two vectors of channels,
multiplied. Memory and the first-level cache set the pace.

Which input position an output position meets with which tap is looked up in a table an axis, with
`OUTSIDE` for none. The table of a transposed convolution is another one, the loop is the same.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import prange

from tinyconv.kernels.cpu._windows import Problem
from tinyconv.kernels.cpu.flat import channels_last
from tinyconv.kernels.cpu.options import parallel
from tinyconv.kernels.cpu.threads import use_threads

Array = Any

OUTSIDE = -1
PARTS = 16
"""Partial sums of the weight gradient; fixed, so that the result does not depend on the threads."""


def is_depthwise(problem: Problem) -> bool:
    """Whether each group has one channel in and one out."""
    return problem.channels == problem.columns == 1 and problem.groups > 1


def depthwise(problem: Problem, x: Array, weight: Array, bias: Array | None, y: Array) -> None:
    """Fill y (N, C, *out_size), channels last in memory; weight is (C, 1, *kernel_size), bias (C,)."""
    use_threads(problem.products())
    rows = channels_last(x)
    taps = np.ascontiguousarray(weight.reshape(weight.shape[0], -1).T)
    start = np.zeros(x.shape[1], x.dtype) if bias is None else np.ascontiguousarray(bias)
    _sum_taps(rows, taps, start, y.transpose(0, 2, 3, 1), *_tables(problem))


def depthwise_weight_grad(problem: Problem, x: Array, grad: Array) -> Array:
    """The gradient of weight (C, 1, *kernel_size) from x and the gradient of y."""
    use_threads(problem.products())
    partial = _sum_pixels(channels_last(x), channels_last(grad), *_tables(problem))
    total = partial.sum(axis=0).astype(x.dtype)
    return np.ascontiguousarray(total.T).reshape(x.shape[1], 1, *problem.kernel_size)


def _tables(problem: Problem) -> tuple[Array, Array]:
    """For each axis: the input position that an output position (row) meets with a tap (column)."""
    tables = []
    for size, phases, taps, outputs in zip(
        problem.size, problem.axes(), problem.kernel_size, problem.out_size, strict=True
    ):
        table = np.full((outputs, taps), OUTSIDE)
        for axis in phases:
            r = np.arange(axis.outputs)
            for tap, offset in zip(axis.taps, axis.offsets, strict=True):
                place = r * axis.stride + offset
                table[axis.first + r * axis.step, tap] = np.where(
                    (place >= 0) & (place < size), place, OUTSIDE
                )
        tables.append(table)
    vertical, horizontal = tables
    return vertical, horizontal


@parallel
def _sum_taps(x: Array, taps: Array, bias: Array, y: Array, vertical: Array, horizontal: Array) -> None:
    batch, height, width, channels = y.shape
    for unit in prange(batch * height):
        n, h = unit // height, unit % height
        for w in range(width):
            target = y[n, h, w]
            for c in range(channels):
                target[c] = bias[c]
            for i in range(vertical.shape[1]):
                if vertical[h, i] < 0:
                    continue
                for j in range(horizontal.shape[1]):
                    if horizontal[w, j] < 0:
                        continue
                    source, tap = x[n, vertical[h, i], horizontal[w, j]], taps[i * horizontal.shape[1] + j]
                    for c in range(channels):
                        target[c] += source[c] * tap[c]


@parallel
def _sum_pixels(x: Array, grad: Array, vertical: Array, horizontal: Array) -> Array:
    """Sums of x * grad for each tap and channel, in `PARTS` parts: (parts, taps, C), in float64."""
    batch, height, width, channels = grad.shape
    kernel_h, kernel_w = vertical.shape[1], horizontal.shape[1]
    partial = np.zeros((PARTS, kernel_h * kernel_w, channels))
    rows = batch * height
    for part in prange(PARTS):
        row_sum = np.empty(channels, x.dtype)
        for unit in range(part * rows // PARTS, (part + 1) * rows // PARTS):
            n, h = unit // height, unit % height
            for i in range(kernel_h):
                if vertical[h, i] < 0:
                    continue
                for j in range(kernel_w):
                    for c in range(channels):
                        row_sum[c] = 0
                    for w in range(width):
                        if horizontal[w, j] < 0:
                            continue
                        source, slope = x[n, vertical[h, i], horizontal[w, j]], grad[n, h, w]
                        for c in range(channels):
                            row_sum[c] += source[c] * slope[c]
                    for c in range(channels):
                        partial[part, i * kernel_w + j, c] += row_sum[c]
    return partial
