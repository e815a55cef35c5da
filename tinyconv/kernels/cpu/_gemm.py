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

from tinyconv.kernels.cpu._compile import memory, parallel_kernel, read_only, written
from tinyconv.kernels.cpu._pack import block_begin, block_width, blocks_of
from tinyconv.kernels.cpu.memory import read_only as frozen
from tinyconv.kernels.cpu.microkernel import MAX_ROWS, ROWS_1, ROWS_2, make_tile

Array = Any

DEPTH = 512
STRIP = 64
"""Rows packed at a time, so that what is written stays in the first-level cache."""

FIRST_WIDE_TILE = make_tile(ROWS_2, 2, accumulate=False, masked=False)
FIRST_NARROW_TILE = make_tile(ROWS_1, 1, accumulate=False, masked=True)
WIDE_TILE = make_tile(ROWS_2, 2, accumulate=True, masked=False)
NARROW_TILE = make_tile(ROWS_1, 1, accumulate=True, masked=True)
SEGMENT = frozen(np.zeros(1, dtype=np.int64))


@lru_cache(maxsize=256)
def row_table(m: int, n: int, step: int, threads: int, width: int) -> tuple[Array, Array]:
    """Where the rows of A and of C begin: one line per part that the rows are cut into.

    A part's last row is repeated, because the micro-kernel takes several rows at once. The rows
    are cut only if the panels alone would leave a thread idle.
    """
    panels = -(-n // (2 * width))
    parts = 1 if panels % threads == 0 or panels >= 4 * threads else threads
    rows = -(-m // parts)
    first = np.arange(0, m, rows, dtype=np.int64)[:, None]
    last = np.minimum(first + rows, m) - 1
    table = np.minimum(first + np.arange(rows + MAX_ROWS), last)
    return frozen(table * step), frozen(table * n)


def _signature(number: Any) -> Any:
    table = read_only(types.int64, 2)
    shape = types.UniTuple(types.int64, 3)
    return types.void(
        memory(number, 2), memory(number, 2), read_only(number), types.boolean, written(number), table, table,
        read_only(types.int64), shape, types.int64,
    )  # fmt: skip


@parallel_kernel(_signature)
def gemm(
    a: Any, b: Any, start: Array, filled: bool, c: Array, row: Array, out: Array, segment: Array, shape: Any,
    width: int,
) -> None:  # fmt: skip
    """Fill c (m * n, and a vector to spare) from the Memories of a (m, k) and b (k, n).

    `start` (n, and a vector to spare) is what the sums of each column begin with; if `filled`,
    they begin with what is in c. `row` and `out` come from `row_table`, `segment` is `SEGMENT`.
    """
    m, n, k = shape
    a_flat, a_start, a_steps = a
    b_flat, b_start, b_steps = b
    parts, entries = row.shape
    rows = entries - MAX_ROWS
    for task in numba.prange(blocks_of(n, width) * parts):
        begin, part = block_begin(task // parts, n, width), task % parts
        wide = block_width(n - begin, width)
        valid = min(wide, n - begin)
        top, bottom = part * rows, min((part + 1) * rows, m)
        panel = np.empty(DEPTH * wide, c.dtype)
        for first in range(0, k, DEPTH):
            depth = min(DEPTH, k - first)
            _pack(
                panel, b_flat, b_start + first * b_steps[0] + begin * b_steps[1], b_steps, depth, valid, wide
            )
            _multiply_panel(
                a_flat, a_start + first * a_steps[1], a_steps[1], row, out, part * entries, bottom - top,
                panel, depth, wide, valid, c, start, begin, first == 0 and not filled, segment, width,
            )  # fmt: skip


@numba.njit(nogil=True)
def _multiply_panel(
    a: Array, a_first: int, a_step: int, row: Array, out: Array, entry: int, rows: int, panel: Array,
    depth: int, wide: int, valid: int, c: Array, start: Array, begin: int, starts: bool, segment: Array,
    width: int,
) -> None:  # fmt: skip
    """Rows of A by a panel of B: into C if it `starts` the sums, else added to C."""
    if wide > width and starts:
        for i in range(entry, entry + rows, ROWS_2):
            FIRST_WIDE_TILE(
                a, a_first, row, i, segment, 0, 1, depth, a_step,
                panel, 0, wide, c, begin, out, start, begin, valid,
            )  # fmt: skip
    elif wide > width:
        for i in range(entry, entry + rows, ROWS_2):
            WIDE_TILE(
                a, a_first, row, i, segment, 0, 1, depth, a_step,
                panel, 0, wide, c, begin, out, start, begin, valid,
            )  # fmt: skip
    elif starts:
        for i in range(entry, entry + rows, ROWS_1):
            FIRST_NARROW_TILE(
                a, a_first, row, i, segment, 0, 1, depth, a_step,
                panel, 0, wide, c, begin, out, start, begin, valid,
            )  # fmt: skip
    else:
        for i in range(entry, entry + rows, ROWS_1):
            NARROW_TILE(
                a, a_first, row, i, segment, 0, 1, depth, a_step,
                panel, 0, wide, c, begin, out, start, begin, valid,
            )  # fmt: skip


@numba.njit(nogil=True)
def _pack(panel: Array, b: Array, start: int, steps: Any, depth: int, valid: int, wide: int) -> None:
    """Copy `depth` rows of `valid` numbers of b to rows of `wide` numbers, with zeros at the end."""
    if valid < wide:
        panel[: depth * wide] = 0
    if steps[1] == 1:
        for i in range(depth):
            source = b[start + i * steps[0] : start + i * steps[0] + valid]
            target = panel[i * wide : i * wide + valid]
            for j in range(valid):
                target[j] = source[j]
        return
    for first in range(0, depth, STRIP):
        for j in range(valid):
            for i in range(first, min(first + STRIP, depth)):
                panel[i * wide + j] = b[start + i * steps[0] + j * steps[1]]
