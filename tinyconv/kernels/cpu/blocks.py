"""Arrays as rows to be summed, cut into blocks of fixed size.

Whatever the axes mean, a dense array whose summed axes are neighbours in memory is an array
(outer, summed, inner). Its summed axis is cut into blocks that do not depend on the number of
threads, so that sums do not depend on it either.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from tinyconv.kernels.cpu.flat import dense, memory_axes
from tinyconv.kernels.cpu.options import inlined

Array = Any

BLOCK = 16384
"""About how many numbers a block has."""
LANES = 128
"""How many sums run side by side; a narrow array uses several rows at once to fill them."""
FEW = 2**17
"""So many numbers one thread adds up sooner than it wakes another."""
FEW_ROWS = 256
"""So many rows are added in float32 without a loss that matters."""


def summed_plan(x: Array, axis: tuple[int, ...]) -> tuple[Array, tuple[int, int, int], list[int]] | None:
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


def has_few_rows(x: Array) -> bool:
    """Whether x, a float32 matrix without gaps, has few enough rows and numbers for one thread."""
    dense = x.flags.c_contiguous or x.flags.f_contiguous
    return dense and 0 < x.size <= FEW and x.shape[0] <= FEW_ROWS and x.dtype == np.float32


@inlined
def rows_of_block(summed: int, inner: int) -> tuple[int, int]:
    """How many rows are added side by side, and how many a block has."""
    side = max(1, min(summed, LANES // inner))
    return side, max(1, BLOCK // (side * inner)) * side


@inlined
def sum_rows(x: Array, inner: int, width: int, total: Array) -> None:
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
