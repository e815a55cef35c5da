"""The compiled loops of convolution and of its input gradient: weights packed, windows swept.

`sweep` goes over the bands of a `Plan`. For each band and group it copies the input rows to a
strip, then calls the micro-kernel for every block of output channels and every tile of
pixels. A strip, and the weights of one block, stay in the second-level cache meanwhile.
Each thread takes a fixed range of bands and has its own strip. An output is one sum in a
fixed order, so the result does not depend on the number of threads, bit for bit.
"""

from __future__ import annotations

from typing import Any

import numba
from numba import types

from tinyconv.kernels.cpu._compile import parallel_kernel, read_only, written
from tinyconv.kernels.cpu._windows import Sizes
from tinyconv.kernels.cpu.layout import copy_strip
from tinyconv.kernels.cpu.microkernel import ROWS_1, ROWS_2, make_tile

Array = Any

WIDE_TILE = make_tile(ROWS_2, 2, accumulate=False, masked=False)
NARROW_TILE = make_tile(ROWS_1, 1, accumulate=False, masked=True)

SIZES = types.NamedUniTuple(types.int64, len(Sizes._fields), Sizes)


@numba.njit(nogil=True)
def block_width(columns_left: int, width: int) -> int:
    """Columns in the next block: two vectors while they are full, then one."""
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


def _pack_signature(number: Any) -> Any:
    steps = types.UniTuple(types.int64, 5)
    return types.void(
        written(number), written(number), read_only(number), types.int64, steps,
        read_only(number), types.int64, types.int64, read_only(types.int64, 2), types.int64, types.int64,
        types.int64, types.int64,
    )  # fmt: skip


@parallel_kernel(_pack_signature)
def pack_weights(
    packed, packed_bias, weight, start, steps, bias, bias_start, bias_step, taps, groups, channels, columns, width
):  # fmt: skip
    """Order weights as the micro-kernel reads them: (group, block, tap, channel, column of the block).

    Columns are padded with zeros to whole vectors. `steps` are those of group, input channel,
    output channel and the two kernel axes in `weight`. An empty `bias` is a zero bias.
    """
    group_step, channel_step, column_step, h_step, w_step = steps
    padded = (columns + width - 1) // width * width
    blocks = blocks_of(columns, width)
    for unit in numba.prange(groups * blocks * channels):
        g = unit // (blocks * channels)
        block = unit // channels % blocks
        c = unit % channels
        begin = block_begin(block, columns, width)
        wide = block_width(columns - begin, width)
        to = (g * padded + begin) * taps.shape[0] * channels + c * wide
        origin = start + g * group_step + c * channel_step + begin * column_step
        for j in range(wide):
            inside = begin + j < columns
            for t in range(taps.shape[0]):
                value = packed[0] * 0
                if inside:
                    value = weight[origin + j * column_step + taps[t, 0] * h_step + taps[t, 1] * w_step]
                packed[to + t * channels * wide + j] = value
            if c == 0:
                value = packed[0] * 0
                if inside and bias.size > 0:
                    value = bias[bias_start + (g * columns + begin + j) * bias_step]
                packed_bias[g * padded + begin + j] = value


@numba.njit(nogil=True)
def _sweep_phase(
    strip, a_first, weights, weights_first, bias, bias_first, y, y_first, sizes, width, phase, row, out, segment
):  # fmt: skip
    """All tiles of one phase of one band and group."""
    table, pixels, segments, length = phase[0], phase[1], phase[5], phase[6]
    column = 0
    while column < sizes.columns:
        left = sizes.columns - column
        wide = block_width(left, width)
        b_first = weights_first + (column * sizes.taps + phase[7] * wide) * sizes.channels
        if wide > width:
            for p in range(0, pixels, ROWS_2):
                WIDE_TILE(
                    strip, a_first, row, table + p, segment, phase[4], segments, length, 1,
                    weights, b_first, wide, y, y_first + column, out, bias, bias_first + column, wide,
                )  # fmt: skip
        else:
            for p in range(0, pixels, ROWS_1):
                NARROW_TILE(
                    strip, a_first, row, table + p, segment, phase[4], segments, length, 1,
                    weights, b_first, wide, y, y_first + column, out, bias, bias_first + column, left,
                )  # fmt: skip
        column += wide


@numba.njit(nogil=True)
def _sweep_band(
    band, x, x_start, x_steps, strip, strip_first, weights, bias, y, sizes, width, phases, row, out, segment
):  # fmt: skip
    """One band: copy its strip, then all phases, group by group."""
    image = min(band // sizes.row_bands * sizes.images, sizes.count - sizes.images)
    begin = min(band % sizes.row_bands * sizes.rows, sizes.all_rows - sizes.rows)
    padded = (sizes.columns + width - 1) // width * width
    for group in range(sizes.groups):
        copy_strip(
            strip, strip_first, (sizes.images, sizes.strip_h, sizes.strip_w, sizes.channels),
            x, x_start + image * x_steps[0] + group * sizes.channels * x_steps[1], x_steps,
            (sizes.size_h, sizes.size_w), (begin * sizes.stride + sizes.top, sizes.left),
        )  # fmt: skip
        weights_first = group * padded * sizes.taps * sizes.channels
        for i in range(phases.shape[0]):
            phase = phases[i]
            here = min(begin, phase[2] - phase[3])
            a_first = strip_first + (here - begin) * sizes.stride * sizes.strip_w * sizes.channels
            y_first = image * sizes.image_step + here * sizes.row_step + group * sizes.columns
            _sweep_phase(
                strip, a_first, weights, weights_first, bias, group * padded, y, y_first,
                sizes, width, phase, row, out, segment,
            )  # fmt: skip


def _sweep_signature(number: Any) -> Any:
    table = read_only(types.int64)
    return types.void(
        read_only(number), types.int64, types.UniTuple(types.int64, 4), written(number, 2),
        read_only(number), read_only(number), written(number), SIZES, types.int64,
        read_only(types.int64, 2), table, table, table,
    )  # fmt: skip


@parallel_kernel(_sweep_signature)
def sweep(x, x_start, x_steps, strips, weights, bias, y, sizes, width, phases, row, out, segment):
    """y (N, H, W, C flat) from x; `strips` (threads, strip) is scratch memory, one row per thread."""
    bands = sizes.image_bands * sizes.row_bands
    parts = strips.shape[0]
    flat = strips.reshape(-1)
    for part in numba.prange(parts):
        for band in range(part * bands // parts, (part + 1) * bands // parts):
            _sweep_band(
                band, x, x_start, x_steps, flat, part * strips.shape[1], weights, bias, y,
                sizes, width, phases, row, out, segment,
            )  # fmt: skip
