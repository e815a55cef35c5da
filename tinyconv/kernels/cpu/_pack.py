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
from tinyconv.kernels.cpu.layout import clear_run

Array = Any


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


def _signature(number: Any) -> Any:
    shape = types.UniTuple(types.int64, 3)
    return types.void(
        written(number), written(number), memory(number, 5), memory(number, 1),
        read_only(types.int64, 2), shape, types.int64,
    )  # fmt: skip


@parallel_kernel(_signature)
def pack_weights(
    packed: Array, packed_bias: Array, weight: Any, bias: Any, taps: Array, shape: Any, width: int
) -> None:
    """Fill `packed` (group, block, tap, channel, column of the block) and `packed_bias` (group, column).

    weight : Memory with steps of group, input channel, output channel and the two kernel axes.
    bias : Memory; an empty one stands for a bias of zeros.
    shape : (groups, input channels of a group, output channels of a group).
    """
    groups, channels, columns = shape
    group_step, channel_step, column_step, h_step, w_step = weight.steps
    flat, start, bias_flat = weight.flat, weight.start, bias.flat
    bias_start, bias_step = bias.start, bias.steps[0]
    padded = (columns + width - 1) // width * width
    blocks = blocks_of(columns, width)
    for unit in numba.prange(groups * blocks * channels):
        g = unit // (blocks * channels)
        begin = block_begin(unit // channels % blocks, columns, width)
        c = unit % channels
        wide = block_width(columns - begin, width)
        to = (g * padded + begin) * taps.shape[0] * channels + c * wide
        origin = start + g * group_step + c * channel_step + begin * column_step
        valid = min(wide, columns - begin)
        for t in range(taps.shape[0]):
            place = to + t * channels * wide
            source = origin + taps[t, 0] * h_step + taps[t, 1] * w_step
            for j in range(valid):
                packed[place + j] = flat[source + j * column_step]
            clear_run(packed, place + valid, wide - valid)
        if c == 0:
            clear_run(packed_bias, g * padded + begin, wide)
            if bias_flat.size > 0:
                for j in range(valid):
                    value = bias_flat[bias_start + (g * columns + begin + j) * bias_step]
                    packed_bias[g * padded + begin + j] = value
