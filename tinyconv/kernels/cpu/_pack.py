"""Weights in the order in which the micro-kernel reads them.

The output channels ("columns") of a group are cut into blocks: of two vectors while they are
full, then of one, the last one padded with zeros. Within a block, the weights of the block's
columns lie together for each tap and input channel.
"""

from __future__ import annotations

from typing import Any

import numba
from numba import types

from tinyconv.kernels.cpu._compile import memory, parallel_kernel, read_only, written
from tinyconv.kernels.cpu._moves import add_vectors, copy_part_transposed, copy_square_transposed
from tinyconv.kernels.cpu.layout import clear_run

Array = Any

PIECE = 160
"""Weights of one output channel that are packed at a time: with a vector of those, half the L1 cache."""


def padded_columns(columns: int, width: int) -> int:
    """Columns rounded up to whole vectors of `width` numbers."""
    return -(-columns // width) * width


@numba.njit(nogil=True)
def block_width(columns_left: int, width: int) -> int:
    """Columns in the next block."""
    return 2 * width if columns_left >= 2 * width else width


@numba.njit(nogil=True)
def blocks_of(columns: int, width: int) -> int:
    """Number of blocks that `columns` columns make."""
    wide = columns // (2 * width)
    return wide + (columns - wide * 2 * width + width - 1) // width


@numba.njit(nogil=True)
def block_begin(block: int, columns: int, width: int) -> int:
    """First column of a block."""
    wide = min(block, columns // (2 * width))
    return (wide + block) * width


def piece_channels(kernel: tuple[int, int]) -> int:
    """Input channels whose weights are packed at a time."""
    return max(1, PIECE // (kernel[0] * kernel[1]))


def pack_scratch(kernel: tuple[int, int], width: int) -> int:
    """Numbers that a thread of `pack_weights` needs."""
    return (piece_channels(kernel) * kernel[0] * kernel[1] + width) * width


def _signature(number: Any) -> Any:
    shape = types.UniTuple(types.int64, 7)
    return types.void(
        written(number), written(number), memory(number, 5), memory(number, 1),
        read_only(types.int64, 2), written(number, 2), shape, types.int64,
    )  # fmt: skip


@parallel_kernel(_signature)
def pack_weights(
    packed: Array, packed_bias: Array, weight: Any, bias: Any, taps: Array, buffers: Array, shape: Any,
    width: int,
) -> None:  # fmt: skip
    """Fill `packed` (group, block, tap, channel, column of the block) and `packed_bias` (group, column).

    weight : Memory with steps of group, input channel, output channel and the two kernel axes.
    bias : Memory; an empty one stands for a bias of zeros.
    buffers : (threads, `pack_scratch`), scratch memory.
    shape : (groups, input channels of a group, output channels of a group, kernel height, kernel width,
    input channels at a time, lanes of a full vector).
    """
    groups, channels, columns, height, breadth, most, full = shape
    group_step, channel_step, column_step, h_step, w_step = weight.steps
    flat, start, biases = weight.flat, weight.start, bias.flat
    bias_start, bias_step = bias.start, bias.steps[0]
    padded = (columns + width - 1) // width * width
    blocks = blocks_of(columns, width)
    pieces = (channels + most - 1) // most
    units = groups * blocks * pieces
    threads = buffers.shape[0]
    buffer = buffers.reshape(-1)
    for thread in numba.prange(threads):
        for unit in range(thread * units // threads, (thread + 1) * units // threads):
            g = unit // (blocks * pieces)
            begin = block_begin(unit // pieces % blocks, columns, width)
            wide = block_width(columns - begin, width)
            first = unit % pieces * most
            depth = min(most, channels - first)
            origin = start + g * group_step + first * channel_step + begin * column_step
            to = (g * padded + begin) * taps.shape[0] * channels + first * wide
            for k in range(0, wide, width):
                _pack_vector(
                    packed, to + k, channels * wide, wide, flat, origin + k * column_step,
                    (channel_step, column_step, h_step, w_step), taps, (height, breadth), depth,
                    min(width, columns - begin - k), full, buffer, thread * buffers.shape[1], width,
                )  # fmt: skip
            if first == 0:
                target = g * padded + begin
                clear_run(packed_bias, target, wide)
                if biases.size > 0:
                    for j in range(min(wide, columns - begin)):
                        packed_bias[target + j] = biases[bias_start + (g * columns + begin + j) * bias_step]


@numba.njit(nogil=True)
def _pack_vector(
    packed: Array, to: int, tap_step: int, row_step: int, flat: Array, origin: int, steps: Any, taps: Array,
    kernel: Any, depth: int, valid: int, full: int, buffer: Array, first: int, width: int,
) -> None:  # fmt: skip
    """Pack one vector of columns for all taps of `depth` channels.

    Weights in PyTorch's order are transposed to the buffer first, all those of a channel.
    """
    channel_step, column_step, h_step, w_step = steps
    size = kernel[0] * kernel[1]
    whole = valid == width == full
    if whole and column_step != 1 and w_step == 1 and h_step == kernel[1]:
        if channel_step == size:
            _transpose_run(buffer, first, flat, origin, column_step, depth * size, width)
        else:
            for c in range(depth):
                there = first + c * size * width
                _transpose_run(buffer, there, flat, origin + c * channel_step, column_step, size, width)
        for t in range(taps.shape[0]):
            source = first + (taps[t, 0] * kernel[1] + taps[t, 1]) * width
            for c in range(depth):
                place = to + t * tap_step + c * row_step
                add_vectors(buffer, source + c * size * width, 0, 1, packed, place)
        return
    for t in range(taps.shape[0]):
        source = origin + taps[t, 0] * h_step + taps[t, 1] * w_step
        for c in range(depth):
            place = to + t * tap_step + c * row_step
            if whole and column_step == 1:
                add_vectors(flat, source + c * channel_step, 0, 1, packed, place)
            else:
                for j in range(valid):
                    packed[place + j] = flat[source + c * channel_step + j * column_step]
                clear_run(packed, place + valid, width - valid)


@numba.njit(nogil=True)
def _transpose_run(
    target: Array, target_first: int, source: Array, first: int, row_step: int, length: int, width: int
) -> None:
    """`width` rows of `length` numbers become `length` rows of `width`, the last square's beyond these."""
    full = length // width * width
    for r in range(0, full, width):
        copy_square_transposed(source, first + r, row_step, target, target_first + r * width, width)
    if full < length:
        copy_part_transposed(
            source, first + full, row_step, length - full, target, target_first + full * width, width
        )
