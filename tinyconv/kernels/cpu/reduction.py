"""Sums over the axes that are neighbours in memory, in all threads.

Whatever the axes mean, a dense array whose summed axes are neighbours in memory is an array
(outer, summed, inner). The summed axis is cut into blocks of fixed size. Within a block the
sums are float32 in many lanes; the blocks are added in float64. So the result is accurate, and
the same for any number of threads.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
from numba import prange

from tinyconv.kernels.cpu.flat import dense, flat, memory_axes, suits
from tinyconv.kernels.cpu.options import inlined, parallel
from tinyconv.kernels.cpu.threads import use_threads
from tinyconv.kernels.reference import reduction as reference

Array = Any

BLOCK = 16384
"""About how many numbers a block has."""
LANES = 128
"""How many sums run side by side; a narrow array uses several rows at once to fill them."""


def sum(x: Array, axis: tuple[int, ...], keepdims: bool) -> Array:
    """Sum over `axis`."""
    plan = _plan(x, axis) if suits(x) else None
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


def _plan(x: Array, axis: tuple[int, ...]) -> tuple[Array, tuple[int, int, int], list[int]] | None:
    """The array made dense, its shape as (outer, summed, inner), and the kept axes in memory order."""
    x = dense(x)
    order = [i for i in memory_axes(x) if x.shape[i] > 1]
    summed = [i % x.ndim for i in axis]
    places = [place for place, i in enumerate(order) if i in summed]
    if not places or places != list(range(places[0], places[-1] + 1)):
        return None
    outer, inner = order[: places[0]], order[places[-1] + 1 :]
    shape = tuple(
        prod(x.shape[i] for i in axes) for axes in (outer, order[places[0] : places[-1] + 1], inner)
    )
    if shape[1] * shape[2] < LANES or shape[2] > BLOCK:
        return None
    single = [i for i in range(x.ndim) if x.shape[i] == 1 and i not in summed]
    return x, shape, outer + inner + single


@parallel
def _sum_blocks(x: Array, outer: int, summed: int, inner: int) -> Array:
    """The flat array x of (outer, summed, inner) to (outer, blocks, inner), in float64."""
    side = max(1, min(summed, LANES // inner))
    rows = max(1, BLOCK // (side * inner)) * side
    blocks = (summed + rows - 1) // rows
    totals = np.zeros((outer, blocks, inner))
    for task in prange(outer * blocks):
        n, block = task // blocks, task % blocks
        start, stop = n * summed + block * rows, n * summed + min((block + 1) * rows, summed)
        _sum_rows(x[start * inner : stop * inner], inner, side * inner, totals[n, block])
    return totals


@inlined
def _sum_rows(x: Array, inner: int, width: int, total: Array) -> None:
    """Add the rows of `inner` numbers of x to `total`, `width` numbers at a time."""
    lanes = np.zeros(width, np.float32)
    for start in range(0, x.size - width + 1, width):
        row = x[start : start + width]
        for c in range(width):
            lanes[c] += row[c]
    rest = x[x.size - x.size % width :]
    for c in range(rest.size):
        lanes[c] += rest[c]
    for c in range(width):
        total[c % inner] += lanes[c]
