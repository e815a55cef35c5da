"""Winograd convolution: 3x3 kernels with stride 1, in blocks of tiles that stay in the cache.

The input is cut into tiles that overlap by two pixels. For a block of tiles, `_winograd_transform`
makes from each one the 36 (or 16) numbers a channel that are to be multiplied; the block is then
a matrix (tiles, channels) for each of the 36 positions, and 36 calls of the matrix product on the
micro-kernel follow. What comes out is transformed back to 4x4 (or 2x2) output pixels. All three
steps of a block happen in the second-level cache, one thread to a block.

Each output is one sum in a fixed order: the result does not depend on the number of threads.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import numba
import numpy as np
from numba import types

from tinyconv.kernels.cpu._activations import activate
from tinyconv.kernels.cpu._compile import integers, memory, parallel_kernel, read_only, written
from tinyconv.kernels.cpu._pack import block_width
from tinyconv.kernels.cpu._windows import CACHED_PLANS, Pair
from tinyconv.kernels.cpu._winograd_transform import (
    INPUT_2,
    INPUT_4,
    OUTPUT_2,
    OUTPUT_4,
    make_transform,
)
from tinyconv.kernels.cpu._winograd_weights import PAD, apart
from tinyconv.kernels.cpu.layout import copy_run, copy_strip
from tinyconv.kernels.cpu.memory import Memory
from tinyconv.kernels.cpu.memory import read_only as frozen
from tinyconv.kernels.cpu.microkernel import MAX_ROWS, ROWS_1, ROWS_2, make_tile

Array = Any

BLOCK_BYTES = 640 * 1024
WIDE_TILE = make_tile(ROWS_2, 2, accumulate=False, masked=False)
NARROW_TILE = make_tile(ROWS_1, 1, accumulate=False, masked=False)
FROM_INPUT_2, FROM_INPUT_4 = make_transform(INPUT_2), make_transform(INPUT_4)
TO_OUTPUT_2, TO_OUTPUT_4 = make_transform(OUTPUT_2, True), make_transform(OUTPUT_4, True)


class TileSizes(NamedTuple):
    """The numbers that the compiled kernels need.

    An output tile has `tile` x `tile` pixels, an input tile two more each way; `points` is the
    number of its pixels. `block` tiles are worked on at a time.
    """

    batch: int
    channels: int
    columns: int
    size_h: int
    size_w: int
    out_h: int
    out_w: int
    padding_h: int
    padding_w: int
    tile: int
    points: int
    tiles_h: int
    tiles_w: int
    block: int
    blocks: int


class TileTables(NamedTuple):
    """The micro-kernel's tables: rows of the input and of the output, one segment, and zeros."""

    row: Array
    out: Array
    segment: Array


class TilePlan(NamedTuple):
    """Everything about one geometry; `scratch` is the size of a thread's memory."""

    sizes: TileSizes
    scratch: int
    tables: TileTables


@lru_cache(maxsize=CACHED_PLANS)
def tile_plan(
    batch: int, channels: int, columns: int, size: Pair, out_size: Pair, padding: Pair, tile: int,
    threads: int, itemsize: int,
) -> TilePlan:  # fmt: skip
    """The blocks and tables for a 3x3 convolution by F(tile x tile, 3x3)."""
    points = (tile + 2) ** 2
    tiles_h, tiles_w = (-(-n // tile) for n in out_size)
    tiles = batch * tiles_h * tiles_w
    block = _block_of(tiles, channels, columns, points, threads, itemsize)
    sizes = TileSizes(
        batch, channels, columns, *size, *out_size, *padding, tile, points, tiles_h, tiles_w,
        block, -(-tiles // block),
    )  # fmt: skip
    entries = np.minimum(np.arange(block + MAX_ROWS), block - 1)
    tables = TileTables(*(frozen(t) for t in (entries * channels, entries * columns, np.zeros(1, np.int64))))
    wide = max(channels, columns)
    return TilePlan(sizes, points * (block * (channels + columns) + 2 * PAD + wide), tables)


def _block_of(tiles: int, channels: int, columns: int, points: int, threads: int, itemsize: int) -> int:
    """Tiles in a block: as many as the cache holds, more where the weights are large, a fair share each."""
    fits = BLOCK_BYTES // (points * (channels + columns) * itemsize)
    pays = channels * columns // (channels + columns)
    most = max(fits, pays, ROWS_2)
    share = -(-tiles // threads)
    parts = -(-share // most)
    block = -(-share // parts)
    return min(-(-block // ROWS_2) * ROWS_2, share)


@numba.njit(nogil=True)
def input_tile(
    tile_number: int, x: Any, v: Array, v_first: int, edge_first: int, block: int, sizes: Any, width: int
) -> None:
    """Transform one tile of x (N, C, H, W) to column `v_first` of v (point, tile, channel).

    At the border of the image, and where the channels are not neighbours in memory, the tile
    is first copied to `edge_first` in v, with zeros outside of the image.
    """
    image_step, channel_step, row_step, pixel_step = x.steps
    side, channels = sizes.tile + 2, sizes.channels
    image = tile_number // (sizes.tiles_h * sizes.tiles_w)
    top = tile_number // sizes.tiles_w % sizes.tiles_h * sizes.tile - sizes.padding_h
    left = tile_number % sizes.tiles_w * sizes.tile - sizes.padding_w
    origin = x.start + image * image_step
    inside = top >= 0 and left >= 0 and top + side <= sizes.size_h and left + side <= sizes.size_w
    step = apart(block, channels)
    if inside and channel_step == 1:
        origin += top * row_step + left * pixel_step
        for c in range(0, channels, width):
            if sizes.tile == 4:
                FROM_INPUT_4(
                    x.flat, origin + c, row_step, pixel_step, v, v_first + c, side * step, step, v, 0
                )
            else:
                FROM_INPUT_2(
                    x.flat, origin + c, row_step, pixel_step, v, v_first + c, side * step, step, v, 0
                )
        return
    copy_strip(
        v, edge_first, (1, side, side, channels), channels, x.flat, origin, x.steps,
        (sizes.size_h, sizes.size_w), (top, left),
    )  # fmt: skip
    for c in range(0, channels, width):
        if sizes.tile == 4:
            FROM_INPUT_4(
                v, edge_first + c, side * channels, channels, v, v_first + c, side * step, step, v, 0
            )
        else:
            FROM_INPUT_2(
                v, edge_first + c, side * channels, channels, v, v_first + c, side * step, step, v, 0
            )


@numba.njit(nogil=True)
def output_tile(
    tile_number: int, m: Array, m_first: int, m_columns: int, edge_first: int, block: int, bias: Array,
    y: Array, begin: int, sizes: Any, width: int, kind: int, number: float,
) -> None:  # fmt: skip
    """Transform one tile of m (point, tile, m_columns) to y (N, H, W, C), channels from `begin` on.

    `kind` and `number` are those of an `Epilogue`.
    """
    tile, columns = sizes.tile, sizes.columns
    side, step = tile + 2, apart(block, m_columns)
    image = tile_number // (sizes.tiles_h * sizes.tiles_w)
    top = tile_number // sizes.tiles_w % sizes.tiles_h * tile
    left = tile_number % sizes.tiles_w * tile
    target = ((image * sizes.out_h + top) * sizes.out_w + left) * columns + begin
    pitch = sizes.out_w * columns
    rows, pixels = min(tile, sizes.out_h - top), min(tile, sizes.out_w - left)
    if rows == tile and pixels == tile:
        for c in range(0, m_columns, width):
            if tile == 4:
                TO_OUTPUT_4(m, m_first + c, side * step, step, y, target + c, pitch, columns, bias, begin + c)
            else:
                TO_OUTPUT_2(m, m_first + c, side * step, step, y, target + c, pitch, columns, bias, begin + c)
        if kind:
            _activate_tile(y, target, rows, pixels, m_columns, columns, pitch, kind, number)
        return
    row = tile * m_columns
    for c in range(0, m_columns, width):
        if tile == 4:
            TO_OUTPUT_4(m, m_first + c, side * step, step, m, edge_first + c, row, m_columns, bias, begin + c)
        else:
            TO_OUTPUT_2(m, m_first + c, side * step, step, m, edge_first + c, row, m_columns, bias, begin + c)
    for r in range(rows):
        for p in range(pixels):
            source = edge_first + (r * tile + p) * m_columns
            copy_run(y, target + r * pitch + p * columns, m, source, m_columns)
    if kind:
        _activate_tile(y, target, rows, pixels, m_columns, columns, pitch, kind, number)


@numba.njit(nogil=True)
def _activate_tile(
    y: Array, target: int, rows: int, pixels: int, m_columns: int, columns: int, pitch: int, kind: int,
    number: float,
) -> None:  # fmt: skip
    """Apply a function to `m_columns` channels of each pixel of a tile of y."""
    if m_columns == columns:
        activate(y, target, pixels * columns, rows, pitch, kind, number)
        return
    for r in range(rows):
        activate(y, target + r * pitch, m_columns, pixels, columns, kind, number)


@numba.njit(nogil=True)
def _multiply(
    scratch: Array, v_first: int, m_first: int, tiles: int, weights: Array, zeros: Array,
    sizes: Any, width: int, tables: Any,
) -> None:  # fmt: skip
    """The matrix products of one block: for each point, (tiles, channels) by (channels, columns)."""
    row, out, segment = tables.row, tables.out, tables.segment
    channels, columns = sizes.channels, sizes.columns
    for point in range(sizes.points):
        a_first = v_first + point * apart(sizes.block, channels)
        c_first = m_first + point * apart(sizes.block, columns)
        begin = 0
        while begin < columns:
            wide = block_width(columns - begin, width)
            b_first = point * apart(channels, columns) + begin * channels
            if wide > width:
                for t in range(0, tiles, ROWS_2):
                    WIDE_TILE(
                        scratch, a_first, row, t, segment, 0, 1, channels, 1,
                        weights, b_first, wide, scratch, c_first + begin, out, zeros, 0, wide,
                    )  # fmt: skip
            else:
                for t in range(0, tiles, ROWS_1):
                    NARROW_TILE(
                        scratch, a_first, row, t, segment, 0, 1, channels, 1,
                        weights, b_first, wide, scratch, c_first + begin, out, zeros, 0, wide,
                    )  # fmt: skip
            begin += wide


def _signature(number: Any) -> Any:
    tables = types.NamedUniTuple(read_only(types.int64), 3, TileTables)
    return types.void(
        memory(number, 4), read_only(number), read_only(number), written(number), written(number, 2),
        read_only(number), integers(TileSizes), types.int64, tables, types.int64, types.float32,
    )  # fmt: skip


@parallel_kernel(_signature)
def winograd(
    x: Any, weights: Array, bias: Array, y: Array, scratches: Array, zeros: Array, sizes: Any, width: int,
    tables: Any, kind: int, number: float,
) -> None:  # fmt: skip
    """y (N, H, W, C flat) from x (Memory of N, C, H, W), transformed weights and the bias.

    `scratches` (threads, size of a thread's memory) is scratch memory, `zeros` two vectors of 0;
    `kind` and `number` are those of an `Epilogue`.
    """
    threads = scratches.shape[0]
    scratch = scratches.reshape(-1)
    flat, start, steps = x  # a parallel loop takes no tuple within a tuple
    all_tiles = sizes.batch * sizes.tiles_h * sizes.tiles_w
    for thread in numba.prange(threads):
        source = Memory(flat, start, steps)
        v_first = thread * scratches.shape[1]
        m_first = v_first + sizes.points * apart(sizes.block, sizes.channels)
        edge_first = m_first + sizes.points * apart(sizes.block, sizes.columns)
        for block in range(thread * sizes.blocks // threads, (thread + 1) * sizes.blocks // threads):
            begin = block * sizes.block
            tiles = min(sizes.block, all_tiles - begin)
            for t in range(tiles):
                input_tile(
                    begin + t, source, scratch, v_first + t * sizes.channels, edge_first, sizes.block,
                    sizes, width,
                )  # fmt: skip
            _multiply(scratch, v_first, m_first, tiles, weights, zeros, sizes, width, tables)
            for t in range(tiles):
                output_tile(
                    begin + t, scratch, m_first + t * sizes.columns, sizes.columns, edge_first, sizes.block,
                    bias, y, 0, sizes, width, kind, number,
                )  # fmt: skip
