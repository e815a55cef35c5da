"""The compiled matrix product, C = A B + bias, on the micro-kernel of convolution.

C is cut into panels of two vectors of columns. A thread takes a panel, copies the part of B that
it needs, `DEPTH` rows at a time, to a small block that stays in the second-level cache, and runs
the micro-kernel down the rows of A. A is read where it lies: any steps will do. The first rows of B
start the sums, from the bias if there is one for each column; a bias for each row is put into C
before, and all of B is added to it. Each number of C is one sum in a fixed order, so the result does
not depend on the number of threads.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numba
import numpy as np
from numba import types

from tinyconv.kernels.cpu._activations import activate
from tinyconv.kernels.cpu._compile import parallel_kernel, read_only, written
from tinyconv.kernels.cpu._moves import copy_square_transposed, copy_valid
from tinyconv.kernels.cpu._pack import block_begin, block_width, blocks_of
from tinyconv.kernels.cpu.memory import read_only as frozen
from tinyconv.kernels.cpu.microkernel import FEW_ROWS, MAX_ROWS, ROWS_1, ROWS_2, make_tile

Array = Any

DEPTH = 896
ROWS_OF_A_THREAD = 64
"""Of a weight that each core wrote a part of; for fewer rows it does not pay to copy B for each thread."""

COPY_OF_A_ROW = 4
"""Copying a row of B takes as long as multiplying it with so many rows of A."""

FIRST_WIDE_TILE = make_tile(ROWS_2, 2, accumulate=False, masked=False)
FIRST_WIDE_LOW_TILE = make_tile(FEW_ROWS, 2, accumulate=False, masked=False)
FIRST_NARROW_TILE = make_tile(ROWS_1, 1, accumulate=False, masked=True)
FIRST_NARROW_LOW_TILE = make_tile(FEW_ROWS, 1, accumulate=False, masked=True)
WIDE_TILE = make_tile(ROWS_2, 2, accumulate=True, masked=False)
WIDE_LOW_TILE = make_tile(FEW_ROWS, 2, accumulate=True, masked=False)
NARROW_TILE = make_tile(ROWS_1, 1, accumulate=True, masked=True)
NARROW_LOW_TILE = make_tile(FEW_ROWS, 1, accumulate=True, masked=True)
SEGMENT = frozen(np.zeros(1, dtype=np.int64))


@lru_cache(maxsize=256)
def row_table(m: int, n: int, step: int, threads: int, width: int) -> tuple[Array, Array]:
    """Where the rows of A and of C begin: one line per part that the rows are cut into.

    A part's last row is repeated, because the micro-kernel takes several rows at once.
    """
    rows = -(-m // (threads if _shares_rows(m, n, threads, width) else 1))
    first = np.arange(0, m, rows, dtype=np.int64)[:, None]
    last = np.minimum(first + rows, m) - 1
    table = np.minimum(first + np.arange(rows + MAX_ROWS), last)
    return frozen(table * step), frozen(table * n)


def _shares_rows(m: int, n: int, threads: int, width: int) -> bool:
    """Whether each thread gets some of the rows, and not some of the panels.

    Each part copies all of B's panels for itself. That pays where the thread with the most panels would
    have so much more than its share, all of them if there is only one, that it takes longer than the copies.
    It also pays where there are few panels and many rows for each thread: A is then a weight, as a rule, and
    a core reads the rows that it wrote in the optimiser's step much faster than those of another core.
    """
    panels = -(-n // (2 * width))
    if panels < 4 * threads and m >= ROWS_OF_A_THREAD * threads:
        return True
    longest = -(-panels // threads) * 2 * width
    return longest * threads / n - 1 > COPY_OF_A_ROW * threads / m


def _signature(number: Any) -> Any:
    table = read_only(types.int64, 2)
    matrix = types.Array(number, 2, "A", readonly=True)
    return types.void(
        matrix, matrix, types.Array(number, 1, "A", readonly=True), types.boolean, written(number, 2),
        table, table, read_only(types.int64), types.int64, types.int64, types.float32,
    )  # fmt: skip


@parallel_kernel(_signature)
def gemm(
    a: Array,
    b: Array,
    bias: Array,
    by_row: bool,
    c: Array,
    row: Array,
    out: Array,
    segment: Array,
    width: int,
    kind: int,
    number: float,
) -> None:
    """Fill c (m, n) with a (m, k) times b (k, n) plus bias, and apply an activation function.

    `bias` has a number for each column, or for each row if `by_row`, or none at all. `row` and `out`
    come from `row_table`, `segment` is `SEGMENT`; `kind` and `number` are those of an `Epilogue`.
    """
    m, n = c.shape
    k = a.shape[1]
    parts, entries = row.shape
    rows = entries - MAX_ROWS
    flat = c.reshape(-1)
    blocks = blocks_of(n, width)
    for task in numba.prange(blocks * parts):
        begin, part = block_begin(task % blocks, n, width), task // blocks
        wide = block_width(n - begin, width)
        valid = min(wide, n - begin)
        top, bottom = part * rows, min((part + 1) * rows, m)
        panel, start = np.empty(min(k, DEPTH) * wide, c.dtype), np.zeros(wide, c.dtype)
        filled = by_row and bias.size > 0
        if filled:
            for i in range(top, bottom):
                c[i, begin : begin + valid] = bias[i]
        elif bias.size > 0:
            start[:valid] = bias[begin : begin + valid]
        for first in range(0, k, DEPTH):
            depth = min(DEPTH, k - first)
            pack_panel(panel, b, first, begin, depth, valid, wide, width)
            _multiply_panel(
                a, first, row, out, part * entries, bottom - top, panel, depth, wide, valid, c, begin, start,
                first == 0 and not filled, segment, width,
            )  # fmt: skip
        if kind:
            activate(flat, top * n + begin, valid, bottom - top, n, kind, number)


@numba.njit(nogil=True)
def _multiply_panel(
    a: Array, first: int, row: Array, out: Array, entry: int, rows: int, panel: Array, depth: int, wide: int,
    valid: int, c: Array, begin: int, start: Array, starts: bool, segment: Array, width: int,
) -> None:  # fmt: skip
    """Rows of A by a panel of B: into C if it `starts` the sums, else added to C."""
    a_step = a.strides[1] // a.itemsize
    a_first = first * a_step
    end = entry + rows
    low = entry + high_rows(rows, ROWS_2 if wide > width else ROWS_1)
    if wide > width and starts:
        for i in range(entry, low, ROWS_2):
            FIRST_WIDE_TILE(
                a, a_first, row, i, segment, 0, 1, depth, a_step,
                panel, 0, wide, c, begin, out, start, 0, valid,
            )  # fmt: skip
        for i in range(low, end, FEW_ROWS):
            FIRST_WIDE_LOW_TILE(
                a, a_first, row, i, segment, 0, 1, depth, a_step,
                panel, 0, wide, c, begin, out, start, 0, valid,
            )  # fmt: skip
    elif wide > width:
        for i in range(entry, low, ROWS_2):
            WIDE_TILE(
                a, a_first, row, i, segment, 0, 1, depth, a_step,
                panel, 0, wide, c, begin, out, start, 0, valid,
            )  # fmt: skip
        for i in range(low, end, FEW_ROWS):
            WIDE_LOW_TILE(
                a, a_first, row, i, segment, 0, 1, depth, a_step,
                panel, 0, wide, c, begin, out, start, 0, valid,
            )  # fmt: skip
    elif starts:
        for i in range(entry, low, ROWS_1):
            FIRST_NARROW_TILE(
                a, a_first, row, i, segment, 0, 1, depth, a_step,
                panel, 0, wide, c, begin, out, start, 0, valid,
            )  # fmt: skip
        for i in range(low, end, FEW_ROWS):
            FIRST_NARROW_LOW_TILE(
                a, a_first, row, i, segment, 0, 1, depth, a_step,
                panel, 0, wide, c, begin, out, start, 0, valid,
            )  # fmt: skip
    else:
        for i in range(entry, low, ROWS_1):
            NARROW_TILE(
                a, a_first, row, i, segment, 0, 1, depth, a_step,
                panel, 0, wide, c, begin, out, start, 0, valid,
            )  # fmt: skip
        for i in range(low, end, FEW_ROWS):
            NARROW_LOW_TILE(
                a, a_first, row, i, segment, 0, 1, depth, a_step,
                panel, 0, wide, c, begin, out, start, 0, valid,
            )  # fmt: skip


@numba.njit(nogil=True)
def high_rows(rows: int, high: int) -> int:
    """How many of the rows to give to tiles of `high` rows, so that the least sticks out at the end.

    The others are for tiles of `FEW_ROWS`: 64 rows are four tiles of 14 and one of 8.
    """
    best, least = 0, rows + high
    for low in range(high):
        tiles = max(0, rows - low * FEW_ROWS + high - 1) // high
        covered = tiles * high + low * FEW_ROWS
        if covered < least:
            best, least = min(tiles * high, rows), covered
    return best


@numba.njit(nogil=True)
def pack_panel(
    panel: Array, b: Array, first: int, begin: int, depth: int, valid: int, wide: int, width: int
) -> None:
    """Copy a block of b, `depth` rows of `valid` numbers, to rows of `wide`, with zeros at their ends."""
    step, column_step = b.strides[0] // b.itemsize, b.strides[1] // b.itemsize
    if column_step == 1:
        for i in range(depth):
            source = (first + i) * step + begin
            for j in range(0, wide, width):
                copy_valid(b, source + j, panel, i * wide + j, valid - j)
        return
    squares, columns = 0, 0
    if step == 1:
        squares, columns = depth // width * width, valid // width * width
        for i in range(0, squares, width):
            for j in range(0, columns, width):
                source = first + i + (begin + j) * column_step
                copy_square_transposed(b, source, column_step, panel, i * wide + j, wide)
    for i in range(depth):
        for j in range(columns if i < squares else 0, valid):
            panel[i * wide + j] = b[first + i, begin + j]
        panel[i * wide + valid : (i + 1) * wide] = 0
