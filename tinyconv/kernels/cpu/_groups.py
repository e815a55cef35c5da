"""The compiled loops of grouped convolution: packs of groups, each as wide as a vector.

The micro-kernels, and the idea, are in `_group_tile.py`. To the tables a pack is a convolution with one
channel, which is a vector; bands, strips and parts are those of `_sweep.py` and `_weight_grad.py`.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import numba
from numba import types

from tinyconv.kernels.cpu._compile import integers, memory, parallel_kernel, read_only, written
from tinyconv.kernels.cpu._group_tile import KNOWN_CHANNELS, make_group_grad_tile, make_group_tile
from tinyconv.kernels.cpu._sliding_tile import PIXELS, TAPS, sliding_grad_tile, sliding_tile
from tinyconv.kernels.cpu._sweep import phase_at
from tinyconv.kernels.cpu._weight_grad import GradPlan, GradSizes, GradTables, grad_plan
from tinyconv.kernels.cpu._windows import CACHED_PLANS, Problem, Sizes, Tables, repeat_last, table_of
from tinyconv.kernels.cpu.layout import copy_strip
from tinyconv.kernels.cpu.memory import Memory

Array = Any

ROWS = 12
TILE_1, TILE_2, TILE_4, TILE_8 = (make_group_tile(ROWS, channels) for channels in KNOWN_CHANNELS)
TAPS_1, TAPS_2, TAPS_4, TAPS_8 = 9, 9, 3, 3
GRAD_1, GRAD_2, GRAD_4, GRAD_8 = (
    make_group_grad_tile(taps, channels)
    for taps, channels in zip((TAPS_1, TAPS_2, TAPS_4, TAPS_8), KNOWN_CHANNELS, strict=True)
)


class Packs(NamedTuple):
    """How groups are packed: `packs` packs of `groups` groups; the last one may have fewer.

    `channels` are those of a group, in and out.
    """

    packs: int
    groups: int
    all_groups: int
    channels: int
    width: int


def packs_of(problem: Problem, width: int) -> Packs:
    """As many groups in a vector as fit."""
    groups = min(width // problem.channels, problem.groups)
    return Packs(-(-problem.groups // groups), groups, problem.groups, problem.channels, width)


@lru_cache(maxsize=CACHED_PLANS)
def packs_grad_plan(problem: Problem, packs: Packs, itemsize: int) -> GradPlan:
    """`grad_plan` for packs; the tables have a row for each tap."""
    problem = problem._replace(columns=packs.width, groups=packs.packs)
    sizes, strip, tables = grad_plan(problem, itemsize, packs.width, packs.width)
    row, out = (
        table_of(repeat_last(table[: sizes.weights : packs.channels])) for table in (tables.row, tables.out)
    )
    return GradPlan(sizes, strip, GradTables(row, out, tables.segment))


@numba.njit(nogil=True)
def _channels_in(pack: int, packs: Any) -> int:
    """Channels of a pack; one per lane."""
    return min(packs.groups, packs.all_groups - pack * packs.groups) * packs.channels


def _pack_signature(number: Any) -> Any:
    return types.void(
        written(number), written(number), memory(number, 5), memory(number, 1), read_only(types.int64, 2),
        integers(Packs),
    )  # fmt: skip


@parallel_kernel(_pack_signature)
def pack_groups(packed: Array, packed_bias: Array, weight: Any, bias: Any, taps: Array, packs: Any) -> None:
    """Fill `packed` (pack, tap, input channel, lane) and `packed_bias` (pack, lane), zero at first.

    weight and bias are those of `_pack.pack_weights`.
    """
    group_step, channel_step, column_step, h_step, w_step = weight.steps
    flat, start, bias_flat = weight.flat, weight.start, bias.flat
    bias_start, bias_step = bias.start, bias.steps[0]
    count = taps.shape[0]
    channels, width = packs.channels, packs.width
    for pack in numba.prange(packs.packs):
        for lane in range(_channels_in(pack, packs)):
            channel = pack * packs.groups * channels + lane
            origin = start + channel // channels * group_step + channel % channels * column_step
            for t in range(count):
                source = origin + taps[t, 0] * h_step + taps[t, 1] * w_step
                place = (pack * count + t) * channels * width + lane
                for c in range(channels):
                    packed[place + c * width] = flat[source + c * channel_step]
            if bias_flat.size > 0:
                packed_bias[pack * width + lane] = bias_flat[bias_start + channel * bias_step]


@numba.njit(nogil=True)
def _tiles_of_pack(
    strip: Array, a_first: int, weights: Array, b_first: int, bias: Array, bias_first: int,
    y: Array, y_first: int, valid: int, images: int, packs: Any, phase: Any, tables: Any,
) -> None:  # fmt: skip
    """All tiles of one phase of one band and pack."""
    row, out, segment = tables.row, tables.out, tables.segment
    begin, end, length = phase.table, phase.table + phase.pixels, phase.length // packs.width
    columns = phase.pixels // (images * phase.rows)
    if (
        packs.channels == 1
        and length == TAPS
        and columns >= PIXELS
        and row[begin + 1] - row[begin] == packs.width
    ):
        for left in range(begin, end, columns):
            for w in range(0, columns, PIXELS):
                entry = left + min(w, columns - PIXELS)
                sliding_tile(
                    strip, a_first + row[entry], segment, phase.segment, phase.segments, weights, b_first,
                    y, y_first + out[entry], out[entry + 1] - out[entry], bias, bias_first, valid,
                )  # fmt: skip
    elif packs.channels == 1:
        for entry in range(begin, end, ROWS):
            TILE_1(
                strip, a_first, row, entry, segment, phase.segment, phase.segments, length,
                weights, b_first, y, y_first, out, bias, bias_first, valid,
            )  # fmt: skip
    elif packs.channels == 2:
        for entry in range(begin, end, ROWS):
            TILE_2(
                strip, a_first, row, entry, segment, phase.segment, phase.segments, length,
                weights, b_first, y, y_first, out, bias, bias_first, valid,
            )  # fmt: skip
    elif packs.channels == 4:
        for entry in range(begin, end, ROWS):
            TILE_4(
                strip, a_first, row, entry, segment, phase.segment, phase.segments, length,
                weights, b_first, y, y_first, out, bias, bias_first, valid,
            )  # fmt: skip
    else:
        for entry in range(begin, end, ROWS):
            TILE_8(
                strip, a_first, row, entry, segment, phase.segment, phase.segments, length,
                weights, b_first, y, y_first, out, bias, bias_first, valid,
            )  # fmt: skip


@numba.njit(nogil=True)
def _band_of_pack(
    band: int, pack: int, x: Any, strip: Array, first: int, weights: Array, bias: Array, y: Array,
    sizes: Any, packs: Any, tables: Any,
) -> None:  # fmt: skip
    """Copy the strip of one band and pack, then go through the phases."""
    image = min(band // sizes.row_bands * sizes.images, sizes.batch - sizes.images)
    begin = min(band % sizes.row_bands * sizes.rows, sizes.all_rows - sizes.rows)
    width, channel, valid = packs.width, pack * packs.groups * packs.channels, _channels_in(pack, packs)
    copy_strip(
        strip, first, (sizes.images, sizes.strip_h, sizes.strip_w, valid), width,
        x.flat, x.start + image * x.steps[0] + channel * x.steps[1], x.steps,
        (sizes.size_h, sizes.size_w), (begin * sizes.stride + sizes.top, sizes.left),
    )  # fmt: skip
    for i in range(tables.phases.shape[0]):
        phase = phase_at(tables.phases, i)
        here = min(begin, phase.all_rows - phase.rows)
        a_first = first + (here - begin) * sizes.stride * sizes.strip_w * width
        b_first = (pack * sizes.taps + phase.tap) * packs.channels * width
        y_first = image * sizes.image_step + here * sizes.row_step + channel
        _tiles_of_pack(
            strip, a_first, weights, b_first, bias, pack * width, y, y_first, valid, sizes.images,
            packs, phase, tables,
        )  # fmt: skip


def _sweep_signature(number: Any) -> Any:
    table = read_only(types.int64)
    tables = types.NamedTuple([read_only(types.int64, 2), table, table, table], Tables)
    return types.void(
        memory(number, 4), read_only(number), read_only(number), written(number), written(number, 2),
        integers(Sizes), integers(Packs), tables,
    )  # fmt: skip


@parallel_kernel(_sweep_signature)
def sweep_groups(
    x: Any, weights: Array, bias: Array, y: Array, strips: Array, sizes: Any, packs: Any, tables: Any
) -> None:
    """y (N, H, W, C flat) from x (Memory of N, C, H, W) and what `pack_groups` makes.

    The tables are those of pixels of `packs.width` numbers. `strips` (threads, size of a strip) is
    scratch memory, zero at first.
    """
    items = sizes.image_bands * sizes.row_bands * packs.packs
    parts = strips.shape[0]
    strip = strips.reshape(-1)
    flat, start, steps = x  # a parallel loop takes no tuple within a tuple
    for part in numba.prange(parts):
        source = Memory(flat, start, steps)
        for item in range(part * items // parts, (part + 1) * items // parts):
            _band_of_pack(
                item // packs.packs, item % packs.packs, source, strip, part * strips.shape[1],
                weights, bias, y, sizes, packs, tables,
            )  # fmt: skip


@numba.njit(nogil=True)
def _grad_tiles(
    strip: Array, first: int, b_first: int, segments: int, partial: Array, c_first: int, sizes: Any,
    packs: Any, tables: Any,
) -> None:  # fmt: skip
    """Add one band's contribution to a pack's weights."""
    row, out, segment = tables.row, tables.out, tables.segment
    taps, a_step = sizes.weights // packs.channels, sizes.stride_w * packs.width
    if packs.channels == 1 and taps == TAPS**2 and row[2] - row[0] == 2 * a_step == 2 * packs.width:
        sliding_grad_tile(strip, first, row, segment, segments, sizes.out_w, strip, b_first, partial, c_first)
    elif packs.channels == 1:
        for tap in range(0, taps, TAPS_1):
            GRAD_1(
                strip, first, row, tap, segment, segments, sizes.out_w, a_step, strip, b_first,
                partial, c_first, out,
            )  # fmt: skip
    elif packs.channels == 2:
        for tap in range(0, taps, TAPS_2):
            GRAD_2(
                strip, first, row, tap, segment, segments, sizes.out_w, a_step, strip, b_first,
                partial, c_first, out,
            )  # fmt: skip
    elif packs.channels == 4:
        for tap in range(0, taps, TAPS_4):
            GRAD_4(
                strip, first, row, tap, segment, segments, sizes.out_w, a_step, strip, b_first,
                partial, c_first, out,
            )  # fmt: skip
    else:
        for tap in range(0, taps, TAPS_8):
            GRAD_8(
                strip, first, row, tap, segment, segments, sizes.out_w, a_step, strip, b_first,
                partial, c_first, out,
            )  # fmt: skip


@numba.njit(nogil=True)
def _grad_band(
    band: int, pack: int, x: Any, grad: Any, strip: Array, first: int, partial: Array, c_first: int,
    sizes: Any, packs: Any, tables: Any,
) -> None:  # fmt: skip
    """Copy a band of the input and of the gradient to the strip, multiply lane by lane."""
    n0 = band // sizes.row_bands * sizes.images
    r0 = band % sizes.row_bands * sizes.rows
    images = min(sizes.images, sizes.batch - n0)
    rows = min(sizes.rows, sizes.out_h - r0)
    width, channel, valid = packs.width, pack * packs.groups * packs.channels, _channels_in(pack, packs)
    copy_strip(
        strip, first, (images, sizes.strip_h, sizes.strip_w, valid), width,
        x.flat, x.start + n0 * x.steps[0] + channel * x.steps[1], x.steps,
        (sizes.size_h, sizes.size_w), (r0 * sizes.stride_h + sizes.top, sizes.left),
    )  # fmt: skip
    b_first = first + sizes.images * sizes.strip_h * sizes.strip_w * width
    copy_strip(
        strip, b_first, (images, rows, sizes.out_w, valid), width,
        grad.flat, grad.start + n0 * grad.steps[0] + channel * grad.steps[1], grad.steps,
        (sizes.out_h, sizes.out_w), (r0, 0),
    )  # fmt: skip
    _grad_tiles(strip, first, b_first, images * rows, partial, c_first, sizes, packs, tables)


def _sum_signature(number: Any) -> Any:
    tables = types.NamedUniTuple(read_only(types.int64), 3, GradTables)
    return types.void(
        memory(number, 4), memory(number, 4), written(number), written(number, 2),
        integers(GradSizes), integers(Packs), tables,
    )  # fmt: skip


@parallel_kernel(_sum_signature)
def sum_groups(x: Any, grad: Any, partial: Array, strips: Array, sizes: Any, packs: Any, tables: Any) -> None:
    """What `_weight_grad.sum_parts` does, for packs: add to partial (parts, packs, weights, lanes; flat)."""
    items = sizes.parts * packs.packs
    bands = sizes.image_bands * sizes.row_bands
    threads = strips.shape[0]
    strip = strips.reshape(-1)
    x_flat, x_start, x_steps = x  # a parallel loop takes no tuple within a tuple
    grad_flat, grad_start, grad_steps = grad
    for thread in numba.prange(threads):
        from_x = Memory(x_flat, x_start, x_steps)
        from_grad = Memory(grad_flat, grad_start, grad_steps)
        for item in range(thread * items // threads, (thread + 1) * items // threads):
            part = item // packs.packs
            for band in range(part * bands // sizes.parts, (part + 1) * bands // sizes.parts):
                _grad_band(
                    band, item % packs.packs, from_x, from_grad, strip, thread * strips.shape[1],
                    partial, item * sizes.weights * packs.width, sizes, packs, tables,
                )  # fmt: skip
