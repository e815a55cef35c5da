"""The weight gradient of a 3x3 convolution by Winograd's transforms, read backwards.

    dg = G^T [sum over tiles (B^T d B) * (A dY A^T)] G

The tiles of the input are transformed as in the forward pass, the tiles of the output's gradient
with A; for each of the 36 (or 16) points a matrix product (channels, tiles) by (tiles, columns)
adds a block's contribution to a buffer. The tiles are cut into one part for each core of the machine,
each with a buffer of its own; at the end these are added, and transformed to the 3x3 weights.

The gradient of the bias comes for free: the second row of A is all ones, so that point (1, 1) of
A dY A^T is the sum of a tile.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numba
import numpy as np
from numba import types

from tinyconv.kernels.cpu._compile import integers, memory, parallel_kernel, read_only, written
from tinyconv.kernels.cpu._moves import add_vectors
from tinyconv.kernels.cpu._pack import block_width
from tinyconv.kernels.cpu._windows import CACHED_PLANS
from tinyconv.kernels.cpu._winograd import TileSizes, TileTables, input_tile
from tinyconv.kernels.cpu._winograd_transform import (
    OUTPUT_2,
    OUTPUT_4,
    make_transform,
    transposed,
)
from tinyconv.kernels.cpu._winograd_weights import apart, scatter_weights, tile_weights
from tinyconv.kernels.cpu.layout import copy_strip
from tinyconv.kernels.cpu.memory import Memory
from tinyconv.kernels.cpu.memory import read_only as frozen
from tinyconv.kernels.cpu.microkernel import MAX_ROWS, ROWS_1, ROWS_2, make_tile

Array = Any

SUMMED = 32
"""Tiles whose sums are added in float32, before float64 takes over."""

WIDE_TILE = make_tile(ROWS_2, 2, accumulate=True, masked=False)
NARROW_TILE = make_tile(ROWS_1, 1, accumulate=True, masked=False)
FROM_GRAD_2, FROM_GRAD_4 = make_transform(transposed(OUTPUT_2)), make_transform(transposed(OUTPUT_4))


@lru_cache(maxsize=CACHED_PLANS)
def grad_tables(channels: int, columns: int) -> TileTables:
    """The micro-kernel's tables: a row is an input channel."""
    entries = np.minimum(np.arange(channels + MAX_ROWS), channels - 1)
    return TileTables(*(frozen(t) for t in (entries, entries * columns, np.zeros(1, np.int64))))


@numba.njit(nogil=True)
def grad_tile(
    tile_number: int, grad: Any, z: Array, z_first: int, edge_first: int, sizes: Any, width: int
) -> None:
    """Transform one tile of grad (N, C_out, H, W) to column `z_first` of z (point, tile, column)."""
    image_step, channel_step, row_step, pixel_step = grad.steps
    tile, columns = sizes.tile, sizes.columns
    image = tile_number // (sizes.tiles_h * sizes.tiles_w)
    top = tile_number // sizes.tiles_w % sizes.tiles_h * tile
    left = tile_number % sizes.tiles_w * tile
    origin = grad.start + image * image_step
    step = apart(sizes.block, columns)
    if channel_step == 1 and top + tile <= sizes.out_h and left + tile <= sizes.out_w:
        origin += top * row_step + left * pixel_step
        for c in range(0, columns, width):
            if tile == 4:
                FROM_GRAD_4(grad.flat, origin + c, row_step, pixel_step, z, z_first + c, 6 * step, step, z, 0)
            else:
                FROM_GRAD_2(grad.flat, origin + c, row_step, pixel_step, z, z_first + c, 4 * step, step, z, 0)
        return
    copy_strip(
        z, edge_first, (1, tile, tile, columns), columns, grad.flat, origin, grad.steps,
        (sizes.out_h, sizes.out_w), (top, left),
    )  # fmt: skip
    for c in range(0, columns, width):
        if tile == 4:
            FROM_GRAD_4(z, edge_first + c, 4 * columns, columns, z, z_first + c, 6 * step, step, z, 0)
        else:
            FROM_GRAD_2(z, edge_first + c, 2 * columns, columns, z, z_first + c, 4 * step, step, z, 0)


@numba.njit(nogil=True)
def _add_products(
    scratch: Array, v_first: int, z_first: int, tiles: int, partial: Array, partial_first: int,
    sizes: Any, width: int, tables: Any,
) -> None:  # fmt: skip
    """Add one block's products, (channels, tiles) by (tiles, columns) for each point."""
    row, out, segment = tables.row, tables.out, tables.segment
    channels, columns = sizes.channels, sizes.columns
    for point in range(sizes.points):
        a_first = v_first + point * apart(sizes.block, channels)
        b_first = z_first + point * apart(sizes.block, columns)
        c_first = partial_first + point * channels * columns
        begin = 0
        while begin < columns:
            wide = block_width(columns - begin, width)
            if wide > width:
                for c in range(0, channels, ROWS_2):
                    WIDE_TILE(
                        scratch, a_first, row, c, segment, 0, 1, tiles, channels,
                        scratch, b_first + begin, columns, partial, c_first + begin, out, partial, 0, wide,
                    )  # fmt: skip
            else:
                for c in range(0, channels, ROWS_1):
                    NARROW_TILE(
                        scratch, a_first, row, c, segment, 0, 1, tiles, channels,
                        scratch, b_first + begin, columns, partial, c_first + begin, out, partial, 0, wide,
                    )  # fmt: skip
            begin += wide


def _signature(number: Any) -> Any:
    tables = types.NamedUniTuple(read_only(types.int64), 3, TileTables)
    return types.void(
        memory(number, 4), memory(number, 4), written(number), written(types.float64, 2), written(number, 2),
        integers(TileSizes), types.int64, tables,
    )  # fmt: skip


@numba.njit(nogil=True)
def add_sums(z: Array, z_first: int, tiles: int, columns: int, totals: Array) -> None:
    """Add the sums of a block's tiles, which lie in z (tile, column), to `totals`."""
    for first in range(0, tiles, SUMMED):
        for c in range(columns):
            total = z[z_first + first * columns + c]
            for t in range(first + 1, min(first + SUMMED, tiles)):
                total += z[z_first + t * columns + c]
            totals[c] += total


@parallel_kernel(_signature)
def add_tiles(
    x: Any, grad: Any, partial: Array, totals: Array, scratches: Array, sizes: Any, width: int, tables: Any
) -> None:
    """Add to partial (threads, points, channels, columns; flat) and totals (threads, columns), zero at first.

    x and grad are Memory of (N, C, H, W); `scratches` (threads, size of a thread's memory) is
    scratch memory.
    """
    threads = scratches.shape[0]
    scratch = scratches.reshape(-1)
    x_flat, x_start, x_steps = x  # a parallel loop takes no tuple within a tuple
    grad_flat, grad_start, grad_steps = grad
    all_tiles = sizes.batch * sizes.tiles_h * sizes.tiles_w
    for thread in numba.prange(threads):
        from_x = Memory(x_flat, x_start, x_steps)
        from_grad = Memory(grad_flat, grad_start, grad_steps)
        v_first = thread * scratches.shape[1]
        z_first = v_first + sizes.points * apart(sizes.block, sizes.channels)
        edge_first = z_first + sizes.points * apart(sizes.block, sizes.columns)
        partial_first = thread * sizes.points * sizes.channels * sizes.columns
        for block in range(thread * sizes.blocks // threads, (thread + 1) * sizes.blocks // threads):
            begin = block * sizes.block
            tiles = min(sizes.block, all_tiles - begin)
            for t in range(tiles):
                v, z = v_first + t * sizes.channels, z_first + t * sizes.columns
                input_tile(begin + t, from_x, scratch, v, edge_first, sizes.block, sizes, width)
                grad_tile(begin + t, from_grad, scratch, z, edge_first, sizes, width)
            ones = (sizes.tile + 3) * apart(sizes.block, sizes.columns)
            add_sums(scratch, z_first + ones, tiles, sizes.columns, totals[thread])
            _add_products(
                scratch, v_first, z_first, tiles, partial, partial_first, sizes, width, tables
            )  # fmt: skip


def _finish_signature(number: Any) -> Any:
    return types.void(
        written(number), read_only(number), written(number, 2), integers(TileSizes), types.int64
    )


@parallel_kernel(_finish_signature)
def weights_from_tiles(gradient: Array, partial: Array, buffers: Array, sizes: Any, width: int) -> None:
    """gradient (C_out, C_in, 3, 3; flat): the threads' parts added and transformed.

    `buffers` (threads, (points + 9 * width) * width) is scratch memory.
    """
    points, channels, columns = sizes.points, sizes.channels, sizes.columns
    part_step = points * channels * columns
    parts = partial.shape[0] // part_step
    threads = buffers.shape[0]
    buffer = buffers.reshape(-1)
    vectors = columns // width
    units = channels // width * vectors
    for thread in numba.prange(threads):
        here = thread * buffers.shape[1]
        taps = here + points * width
        for unit in range(thread * units // threads, (thread + 1) * units // threads):
            first, begin = unit // vectors * width, unit % vectors * width
            for c in range(width):
                for point in range(points):
                    origin = (point * channels + first + c) * columns + begin
                    add_vectors(partial, origin, part_step, parts, buffer, here + point * width)
                tile_weights(buffer, here, width, taps + c * 9 * width, sizes.tile, width)
            target = (begin * channels + first) * 9
            scatter_weights(buffer, taps, gradient, target, channels * 9, width)
