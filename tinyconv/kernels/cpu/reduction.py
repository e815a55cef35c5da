"""Sums over the axes that are neighbours in memory, in all threads.

The summed axis is cut into blocks, see `blocks.py`. Within a block the sums are float32 in many
lanes; the blocks are added in float64. So the result is accurate, and the same for any number of
threads.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import prange

from tinyconv.kernels.cpu.blocks import has_few_rows, rows_of_block, sum_rows, summed_plan
from tinyconv.kernels.cpu.flat import flat, suits
from tinyconv.kernels.cpu.options import alone, lane_sum, parallel
from tinyconv.kernels.cpu.threads import use_threads
from tinyconv.kernels.reference import reduction as reference

Array = Any


def sum(x: Array, axis: tuple[int, ...], keepdims: bool) -> Array:
    """Sum over `axis`."""
    if axis == (0,) and x.ndim == 2 and has_few_rows(x):
        sums = _sum_of_rows(x)
        return sums.reshape(1, -1) if keepdims else sums
    plan = summed_plan(x, axis) if suits(x) else None
    if plan is None:
        return reference.sum(x, axis, keepdims)
    use_threads()
    ordered, shape, kept = plan
    blocks = _sum_blocks(flat(ordered), *shape)
    result = blocks.sum(axis=1).astype(np.float32).reshape([ordered.shape[i] for i in kept])
    result = result.transpose([kept.index(i) for i in sorted(kept)])
    if not keepdims:
        return result
    return result.reshape([size if i in kept else 1 for i, size in enumerate(x.shape)])


def _sum_of_rows(x: Array) -> Array:
    """The sum of a few dense rows: the gradient of a bias."""
    sums = np.zeros(x.shape[1], np.float32)
    if x.flags.c_contiguous:
        _add_each(x, sums)
    else:
        _sum_each(x.T, sums)
    return sums


@alone
def _add_each(x: Array, sums: Array) -> None:
    """Add the rows of x to `sums`."""
    for i in range(x.shape[0]):
        row = x[i]
        for j in range(row.size):
            sums[j] += row[j]


@alone
def _sum_each(x: Array, sums: Array) -> None:
    """The sum of each row of x, in as many lanes as a vector register has."""
    for i in range(x.shape[0]):
        sums[i] = lane_sum(x[i])


@parallel
def _sum_blocks(x: Array, outer: int, summed: int, inner: int) -> Array:
    """The flat array x of (outer, summed, inner) to (outer, blocks, inner), in float64."""
    side, rows = rows_of_block(summed, inner)
    blocks = (summed + rows - 1) // rows
    totals = np.zeros((outer, blocks, inner))
    for task in prange(outer * blocks):
        n, block = task // blocks, task % blocks
        start, stop = n * summed + block * rows, n * summed + min((block + 1) * rows, summed)
        sum_rows(x[start * inner : stop * inner], inner, side * inner, totals[n, block])
    return totals
