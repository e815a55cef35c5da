"""Winograd's transform of the weights, and of sums to the gradients of weights.

Weights (C_out, C_in, 3, 3) lie in memory output channel by output channel; a transform takes vectors of
neighbouring output channels. So the weights of one vector of them, and of `GATHERED` input channels, are
first transposed to a buffer in the cache. Gradients go the same way back.
"""

from __future__ import annotations

from typing import Any

import numba
from numba import types

from tinyconv.kernels.cpu._compile import memory, parallel_kernel, written
from tinyconv.kernels.cpu._moves import copy_part_transposed, copy_square_transposed
from tinyconv.kernels.cpu._pack import block_begin, block_width, blocks_of
from tinyconv.kernels.cpu._winograd_transform import WEIGHT_2, WEIGHT_4, make_transform, transposed

Array = Any

PAD = 16
"""Numbers between the points' arrays; see `apart`."""
GATHERED = 16
"""Input channels whose weights are gathered at a time; a multiple of a vector."""

FROM_WEIGHT_2, FROM_WEIGHT_4 = make_transform(WEIGHT_2), make_transform(WEIGHT_4)
TO_WEIGHT_2, TO_WEIGHT_4 = make_transform(transposed(WEIGHT_2)), make_transform(transposed(WEIGHT_4))


@numba.njit(nogil=True)
def apart(rows: int, row: int) -> int:
    """How far one point's numbers lie from the next one's: `rows` rows, and a little more.

    Powers of two would be common otherwise, and numbers so far apart share one place in the cache.
    """
    return rows * row + PAD


def gather_scratch(width: int) -> int:
    """Numbers that `weight_tiles` needs: 9 taps of each channel, and what the last square writes beyond."""
    return (9 * GATHERED + width) * width


def _signature(number: Any) -> Any:
    return types.void(
        written(number), memory(number, 4), written(number, 2), types.UniTuple(types.int64, 4), types.int64
    )


@parallel_kernel(_signature)
def transform_weights(packed: Array, weight: Any, buffers: Array, shape: Any, width: int) -> None:
    """Fill `packed` (point, block of columns, channel, column of the block) from a Memory of weights.

    The steps of `weight` are those of input channel, output channel and the two kernel axes.
    shape : (tile, input channels, output channels, 1 to turn the kernel by half a turn or 0).
    `buffers` (threads, `gather_scratch`) is scratch memory.
    """
    tile, channels, columns, turned = shape
    flat, start, steps = weight.flat, weight.start, weight.steps
    threads = buffers.shape[0]
    buffer = buffers.reshape(-1)
    blocks = blocks_of(columns, width)
    pieces = (channels + GATHERED - 1) // GATHERED
    units = blocks * pieces
    for thread in numba.prange(threads):
        taps = thread * buffers.shape[1]
        for unit in range(thread * units // threads, (thread + 1) * units // threads):
            begin, first = block_begin(unit // pieces, columns, width), unit % pieces * GATHERED
            wide = block_width(columns - begin, width)
            depth = min(GATHERED, channels - first)
            origin = start + first * steps[0] + begin * steps[1]
            weight_tiles(
                buffer, taps, flat, origin, steps, turned, depth,
                packed, begin * channels + first * wide, apart(channels, columns), wide, tile, width,
            )  # fmt: skip


@numba.njit(nogil=True)
def _gather_weights(
    buffer: Array, taps: int, flat: Array, origin: int, steps: Any, depth: int, width: int
) -> None:
    """Copy weights to ``buffer[channel, tap, column]``, for one vector of columns.

    `depth` is a multiple of `width`. Three rows of `width` numbers behind the last tap may be written too.
    """
    channel_step, column_step, h_step, w_step = steps
    if w_step == 1 and h_step == 3 and channel_step == 9:
        for r in range(0, 9 * depth, width):
            copy_square_transposed(flat, origin + r, column_step, buffer, taps + r * width, width)
    elif w_step == 1 and h_step == 3:
        for c in range(depth):
            for t in range(0, 9, width):
                copy_part_transposed(
                    flat, origin + c * channel_step + t, column_step, min(width, 9 - t),
                    buffer, taps + (9 * c + t) * width, width,
                )  # fmt: skip
    else:
        for c in range(depth):
            for k in range(width):
                source, target = origin + c * channel_step + k * column_step, taps + c * 9 * width + k
                for i in range(3):
                    for j in range(3):
                        buffer[target + (3 * i + j) * width] = flat[source + i * h_step + j * w_step]


@numba.njit(nogil=True)
def weight_tiles(
    buffer: Array, taps: int, flat: Array, origin: int, steps: Any, turned: bool, depth: int,
    u: Array, u_first: int, point_step: int, wide: int, tile: int, width: int,
) -> None:  # fmt: skip
    """Transform the weights of `depth` input and `wide` output channels, to ``u[point, channel, column]``.

    `depth` is at most GATHERED; `buffer` has room for `gather_scratch` numbers at `taps`. `turned` turns the
    kernel by half a turn: the taps are read from the last to the first.
    """
    row_step = (tile + 2) * point_step
    first, step = (taps + 8 * width, -width) if turned else (taps, width)
    for k in range(0, wide, width):
        _gather_weights(buffer, taps, flat, origin + k * steps[1], steps, depth, width)
        for c in range(depth):
            here, there = first + c * 9 * width, u_first + c * wide + k
            if tile == 4:
                FROM_WEIGHT_4(buffer, here, 3 * step, step, u, there, row_step, point_step, buffer, 0)
            else:
                FROM_WEIGHT_2(buffer, here, 3 * step, step, u, there, row_step, point_step, buffer, 0)


@numba.njit(nogil=True)
def tile_weights(u: Array, u_first: int, point_step: int, taps: int, tile: int, width: int) -> None:
    """Transform one vector of columns of u (point, column) to 3x3 weights, 9 vectors at `taps` in u."""
    row_step = (tile + 2) * point_step
    if tile == 4:
        TO_WEIGHT_4(u, u_first, row_step, point_step, u, taps, 3 * width, width, u, 0)
    else:
        TO_WEIGHT_2(u, u_first, row_step, point_step, u, taps, 3 * width, width, u, 0)


@numba.njit(nogil=True)
def scatter_weights(u: Array, taps: int, gradient: Array, target: int, column_step: int, width: int) -> None:
    """Copy what `tile_weights` made of `width` channels, one after the other, to their gradients."""
    for r in range(0, 9 * width, width):
        copy_square_transposed(u, taps + r * width, width, gradient, target + r, column_step)
