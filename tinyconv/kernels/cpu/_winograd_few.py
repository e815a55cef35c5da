"""Winograd convolution of few tiles with many channels: deep layers, on small images.

There the transformed weights are the largest array of all, many times the caches. `_winograd.py`
would write and read them through the memory, once for each thread. Here the loops are the other way
round. First all tiles are transformed, which are few. Then each thread takes blocks of output
channels: it transforms the weights of one block, `DEPTH` input channels at a time, and multiplies all
tiles with them while they are in the cache. The weight gradient works likewise: the sums for a block of
output channels are finished in one go, and only their 3x3 weights are written.

Each number is one sum in a fixed order: the result does not depend on the number of threads.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numba
import numpy as np
from numba import types

from tinyconv.kernels.cpu._compile import integers, memory, parallel_kernel, read_only, written
from tinyconv.kernels.cpu._pack import block_begin, block_width, blocks_of
from tinyconv.kernels.cpu._windows import CACHED_PLANS
from tinyconv.kernels.cpu._winograd import TileSizes, TileTables, input_tile, output_tile
from tinyconv.kernels.cpu._winograd_grad import add_sums, grad_tile
from tinyconv.kernels.cpu._winograd_weights import (
    GATHERED,
    PAD,
    apart,
    gather_scratch,
    scatter_weights,
    tile_weights,
    weight_tiles,
)
from tinyconv.kernels.cpu.memory import Memory
from tinyconv.kernels.cpu.memory import read_only as frozen
from tinyconv.kernels.cpu.microkernel import FEW_ROWS, MAX_ROWS, ROWS_1, ROWS_2, are_few, make_tile

Array = Any

DEPTH = 128
"""Input channels whose transformed weights are in the cache at a time."""
GRAD_DEPTH = 8 * ROWS_2
"""Input channels whose gradient is; whole vectors, and whole tiles of the micro-kernel."""

FIRST_WIDE_TILE = make_tile(ROWS_2, 2, accumulate=False, masked=False)
FIRST_SHORT_TILE = make_tile(FEW_ROWS, 2, accumulate=False, masked=False)
FIRST_NARROW_TILE = make_tile(ROWS_1, 1, accumulate=False, masked=False)
WIDE_TILE = make_tile(ROWS_2, 2, accumulate=True, masked=False)
SHORT_TILE = make_tile(FEW_ROWS, 2, accumulate=True, masked=False)
NARROW_TILE = make_tile(ROWS_1, 1, accumulate=True, masked=False)


@numba.njit(nogil=True)
def _multiply(
    a: Array, a_first: int, row: Array, rows: int, a_step: int,
    b: Array, b_first: int, b_step: int, depth: int, c: Array, c_first: int,
    out: Array, segment: Array, zeros: Array, wide: int, starts: bool, width: int,
) -> None:  # fmt: skip
    """Rows of A by a block of B, into C if that `starts` the sums, else added to C."""
    if wide > width:
        i = 0
        while i < rows:
            few = are_few(rows - i)
            if few and starts:
                FIRST_SHORT_TILE(
                    a, a_first, row, i, segment, 0, 1, depth, a_step,
                    b, b_first, b_step, c, c_first, out, zeros, 0, wide,
                )  # fmt: skip
            elif few:
                SHORT_TILE(
                    a, a_first, row, i, segment, 0, 1, depth, a_step,
                    b, b_first, b_step, c, c_first, out, zeros, 0, wide,
                )  # fmt: skip
            elif starts:
                FIRST_WIDE_TILE(
                    a, a_first, row, i, segment, 0, 1, depth, a_step,
                    b, b_first, b_step, c, c_first, out, zeros, 0, wide,
                )  # fmt: skip
            else:
                WIDE_TILE(
                    a, a_first, row, i, segment, 0, 1, depth, a_step,
                    b, b_first, b_step, c, c_first, out, zeros, 0, wide,
                )  # fmt: skip
            i += FEW_ROWS if few else ROWS_2
    elif starts:
        for i in range(0, rows, ROWS_1):
            FIRST_NARROW_TILE(
                a, a_first, row, i, segment, 0, 1, depth, a_step,
                b, b_first, b_step, c, c_first, out, zeros, 0, wide,
            )  # fmt: skip
    else:
        for i in range(0, rows, ROWS_1):
            NARROW_TILE(
                a, a_first, row, i, segment, 0, 1, depth, a_step,
                b, b_first, b_step, c, c_first, out, zeros, 0, wide,
            )  # fmt: skip


def _tables_type() -> Any:
    return types.NamedUniTuple(read_only(types.int64), 3, TileTables)


def _signature(number: Any) -> Any:
    return types.void(
        memory(number, 4), memory(number, 4), read_only(number), written(number), written(number),
        written(number, 2), read_only(number), integers(TileSizes), types.boolean, types.int64,
        _tables_type(), types.int64, types.float32,
    )  # fmt: skip


@parallel_kernel(_signature)
def winograd_few(
    x: Any, weight: Any, bias: Array, y: Array, v: Array, scratches: Array, zeros: Array, sizes: Any,
    turned: bool, width: int, tables: Any, kind: int, number: float,
) -> None:  # fmt: skip
    """y (N, H, W, C flat) from x (Memory of N, C, H, W), weights and the bias.

    The steps of `weight`, a Memory, are those of input channel, output channel and the two kernel axes;
    `turned` turns the kernel by half a turn. ``sizes.block`` must be the number of all tiles, and
    `tables` those of rows of `channels` numbers and of blocks of two vectors. Scratch memory: v
    (points, tiles, channels), and `scratches` (threads, see `few_scratch`). `kind` and `number` are those
    of an `Epilogue`.
    """
    threads, tiles = scratches.shape[0], sizes.block
    points, channels, columns = sizes.points, sizes.channels, sizes.columns
    scratch = scratches.reshape(-1)
    flat, start, steps = x  # a parallel loop takes no tuple within a tuple
    weight_flat, weight_start, weight_steps = weight.flat, weight.start, weight.steps
    for thread in numba.prange(threads):
        source = Memory(flat, start, steps)
        edge = points * (apart(tiles, channels) + thread * channels)
        for t in range(thread * tiles // threads, (thread + 1) * tiles // threads):
            input_tile(t, source, v, t * channels, edge, tiles, sizes, width)
    blocks = blocks_of(columns, width)
    for thread in numba.prange(threads):
        u_first = thread * scratches.shape[1]
        m_first = u_first + points * apart(DEPTH, 2 * width)
        edge_first = m_first + points * apart(tiles, 2 * width)
        taps = edge_first + points * (apart(1, width) + width)
        for block in range(thread * blocks // threads, (thread + 1) * blocks // threads):
            begin = block_begin(block, columns, width)
            wide = block_width(columns - begin, width)
            for first in range(0, channels, DEPTH):
                depth = min(DEPTH, channels - first)
                for c in range(0, depth, GATHERED):
                    origin = weight_start + (first + c) * weight_steps[0] + begin * weight_steps[1]
                    weight_tiles(
                        scratch, taps, weight_flat, origin, weight_steps, turned, min(GATHERED, depth - c),
                        scratch, u_first + c * wide, apart(depth, wide), wide, sizes.tile, width,
                    )  # fmt: skip
                for point in range(points):
                    _multiply(
                        v, point * apart(tiles, channels) + first, tables.row, tiles, 1,
                        scratch, u_first + point * apart(depth, wide), wide, depth,
                        scratch, m_first + point * apart(tiles, 2 * width), tables.out, tables.segment,
                        zeros, wide, first == 0, width,
                    )  # fmt: skip
            for t in range(tiles):
                if wide == 2 * width:
                    output_tile(
                        t, scratch, m_first + t * wide, wide, edge_first, tiles, bias, y, begin, sizes, width,
                        kind, number,
                    )  # fmt: skip
                else:
                    _narrow_output(
                        scratch, m_first, edge_first, t, bias, y, begin, sizes, width, kind, number
                    )


@numba.njit(nogil=True)
def _narrow_output(
    scratch: Array, m_first: int, edge_first: int, t: int, bias: Array, y: Array, begin: int, sizes: Any,
    width: int, kind: int, number: float,
) -> None:  # fmt: skip
    """The last block of one vector: its rows are two vectors apart, so one tile is copied together first."""
    together = edge_first
    for point in range(sizes.points):
        source = m_first + point * apart(sizes.block, 2 * width) + t * 2 * width
        for k in range(width):
            scratch[together + point * apart(1, width) + k] = scratch[source + k]
    output_tile(
        t,
        scratch,
        together,
        width,
        edge_first + sizes.points * apart(1, width),
        1,
        bias,
        y,
        begin,
        sizes,
        width,
        kind,
        number,
    )


def of_all_tiles(sizes: TileSizes) -> TileSizes:
    """The same sizes, with all tiles in one block."""
    return sizes._replace(block=sizes.batch * sizes.tiles_h * sizes.tiles_w, blocks=1)


def few_scratch(sizes: TileSizes, width: int) -> int:
    """Numbers that a thread of `winograd_few` needs."""
    of_points = 2 * width * (DEPTH + sizes.block + 2) + 4 * PAD
    return sizes.points * of_points + gather_scratch(width)


def few_grad_scratch(sizes: TileSizes, width: int) -> int:
    """Numbers that a thread of `winograd_few_grad` needs."""
    return 2 * width * sizes.points * GRAD_DEPTH + 9 * width * width


@lru_cache(maxsize=CACHED_PLANS)
def few_tables(rows: int, step: int, width: int) -> TileTables:
    """The micro-kernel's tables for `rows` rows, `step` apart in A and two vectors apart in C."""
    entries = np.minimum(np.arange(rows + MAX_ROWS), rows - 1)
    return TileTables(*(frozen(t) for t in (entries * step, entries * 2 * width, np.zeros(1, np.int64))))


def _grad_signature(number: Any) -> Any:
    return types.void(
        memory(number, 4), memory(number, 4), written(number), written(types.float64, 2), written(number),
        written(number), written(number, 2), read_only(number), integers(TileSizes), types.int64,
        _tables_type(),
    )  # fmt: skip


@parallel_kernel(_grad_signature)
def winograd_few_grad(
    x: Any, grad: Any, gradient: Array, totals: Array, v: Array, z: Array, scratches: Array, zeros: Array,
    sizes: Any, width: int, tables: Any,
) -> None:  # fmt: skip
    """gradient (C_out, C_in, 3, 3; flat) and totals (1, C_out), the bias's, from x and grad (N, C, H, W).

    ``sizes.block`` must be the number of all tiles. Scratch memory: v (points, tiles, channels), z
    (points, tiles, columns), both with room for a tile for each thread more, and `scratches`
    (threads, see `few_grad_scratch`).
    """
    threads, tiles = scratches.shape[0], sizes.block
    points, channels, columns = sizes.points, sizes.channels, sizes.columns
    scratch = scratches.reshape(-1)
    x_flat, x_start, x_steps = x
    grad_flat, grad_start, grad_steps = grad
    for thread in numba.prange(threads):
        from_x = Memory(x_flat, x_start, x_steps)
        from_grad = Memory(grad_flat, grad_start, grad_steps)
        x_edge = points * (apart(tiles, channels) + thread * channels)
        grad_edge = points * (apart(tiles, columns) + thread * columns)
        for t in range(thread * tiles // threads, (thread + 1) * tiles // threads):
            input_tile(t, from_x, v, t * channels, x_edge, tiles, sizes, width)
            grad_tile(t, from_grad, z, t * columns, grad_edge, sizes, width)
    add_sums(z, (sizes.tile + 3) * apart(tiles, columns), tiles, columns, totals[0])
    blocks = blocks_of(columns, width)
    pieces = (channels + GRAD_DEPTH - 1) // GRAD_DEPTH
    for thread in numba.prange(threads):
        u_first = thread * scratches.shape[1]
        taps = u_first + points * GRAD_DEPTH * 2 * width
        for item in range(thread * blocks * pieces // threads, (thread + 1) * blocks * pieces // threads):
            begin = block_begin(item // pieces, columns, width)
            wide = block_width(columns - begin, width)
            first = item % pieces * GRAD_DEPTH
            depth = min(GRAD_DEPTH, channels - first)
            for point in range(points):
                _multiply(
                    v, point * apart(tiles, channels) + first, tables.row, depth, channels,
                    z, point * apart(tiles, columns) + begin, columns, tiles,
                    scratch, u_first + point * GRAD_DEPTH * 2 * width, tables.out, tables.segment, zeros,
                    wide, True, width,
                )  # fmt: skip
            for c in range(0, depth, width):
                for k in range(0, wide, width):
                    here = u_first + c * 2 * width + k
                    for i in range(width):
                        tile_weights(
                            scratch, here + i * 2 * width, GRAD_DEPTH * 2 * width, taps + i * 9 * width,
                            sizes.tile, width,
                        )  # fmt: skip
                    target = ((begin + k) * channels + first + c) * 9
                    scatter_weights(scratch, taps, gradient, target, channels * 9, width)
