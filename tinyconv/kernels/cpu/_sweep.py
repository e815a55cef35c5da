"""The compiled loop of convolution and of its input gradient: windows swept band by band.

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

from tinyconv.kernels.cpu._compile import integers, memory, parallel_kernel, read_only, written
from tinyconv.kernels.cpu._inner_product import inner_products
from tinyconv.kernels.cpu._pack import block_width
from tinyconv.kernels.cpu._vector_code import VECTOR_BYTES
from tinyconv.kernels.cpu._windows import Phase, Sizes, Tables
from tinyconv.kernels.cpu.layout import copy_strip
from tinyconv.kernels.cpu.memory import Memory
from tinyconv.kernels.cpu.microkernel import ROWS_1, ROWS_2, make_tile

Array = Any

WIDE_TILE = make_tile(ROWS_2, 2, accumulate=False, masked=False)
NARROW_TILE = make_tile(ROWS_1, 1, accumulate=False, masked=True)
HALVED_TILE = make_tile(ROWS_1, 1, accumulate=False, masked=True, halved=True)


@numba.njit(nogil=True)
def phase_at(phases: Array, i: int) -> Any:
    """Row `i` of the table of phases, with names."""
    p = phases[i]
    return Phase(p[0], p[1], p[2], p[3], p[4], p[5], p[6], p[7])


@numba.njit(nogil=True)
def _sweep_phase(
    strip: Array, a_first: int, weights: Array, weights_first: int, bias: Array, bias_first: int,
    y: Array, y_first: int, sizes: Any, width: int, phase: Any, tables: Any,
) -> None:  # fmt: skip
    """All tiles of one phase of one band and group."""
    row, out, segment = tables.row, tables.out, tables.segment
    column = 0
    while column < sizes.columns:
        left = sizes.columns - column
        wide = block_width(left, width)
        b_first = weights_first + (column * sizes.taps + phase.tap * wide) * sizes.channels
        if wide > width:
            for entry in range(phase.table, phase.table + phase.pixels, ROWS_2):
                WIDE_TILE(
                    strip, a_first, row, entry, segment, phase.segment, phase.segments, phase.length, 1,
                    weights, b_first, wide, y, y_first + column, out, bias, bias_first + column, wide,
                )  # fmt: skip
        elif width * strip.itemsize < VECTOR_BYTES:
            for entry in range(phase.table, phase.table + phase.pixels, ROWS_1):
                HALVED_TILE(
                    strip, a_first, row, entry, segment, phase.segment, phase.segments, phase.length, 1,
                    weights, b_first, wide, y, y_first + column, out, bias, bias_first + column, left,
                )  # fmt: skip
        else:
            for entry in range(phase.table, phase.table + phase.pixels, ROWS_1):
                NARROW_TILE(
                    strip, a_first, row, entry, segment, phase.segment, phase.segments, phase.length, 1,
                    weights, b_first, wide, y, y_first + column, out, bias, bias_first + column, left,
                )  # fmt: skip
        column += wide


@numba.njit(nogil=True)
def _sweep_band(
    band: int, x: Any, strip: Array, strip_first: int, weights: Array, bias: Array, y: Array,
    sizes: Any, width: int, inner: bool, tables: Any,
) -> None:  # fmt: skip
    """One band: for each group, copy its strip, then go through the phases."""
    image = min(band // sizes.row_bands * sizes.images, sizes.batch - sizes.images)
    begin = min(band % sizes.row_bands * sizes.rows, sizes.all_rows - sizes.rows)
    padded = (sizes.columns + width - 1) // width * width
    for group in range(sizes.groups):
        copy_strip(
            strip, strip_first, (sizes.images, sizes.strip_h, sizes.strip_w, sizes.channels), sizes.channels,
            x.flat, x.start + image * x.steps[0] + group * sizes.channels * x.steps[1], x.steps,
            (sizes.size_h, sizes.size_w), (begin * sizes.stride + sizes.top, sizes.left),
        )  # fmt: skip
        weights_first = group * padded * sizes.taps * sizes.channels
        for i in range(tables.phases.shape[0]):
            phase = phase_at(tables.phases, i)
            here = min(begin, phase.all_rows - phase.rows)
            a_first = strip_first + (here - begin) * sizes.stride * sizes.strip_w * sizes.channels
            y_first = image * sizes.image_step + here * sizes.row_step + group * sizes.columns
            if inner:
                step = sizes.taps * sizes.channels
                first = group * sizes.columns * step + phase.tap * sizes.channels
                inner_products(
                    strip, a_first, weights, first, step, bias, group * sizes.columns, y, y_first,
                    sizes.columns, phase, tables,
                )  # fmt: skip
                continue
            _sweep_phase(
                strip, a_first, weights, weights_first, bias, group * padded, y, y_first,
                sizes, width, phase, tables,
            )  # fmt: skip


def _signature(number: Any) -> Any:
    table = read_only(types.int64)
    tables = types.NamedTuple([read_only(types.int64, 2), table, table, table], Tables)
    return types.void(
        memory(number, 4), read_only(number), read_only(number), written(number), written(number, 2),
        integers(Sizes), types.int64, types.boolean, tables,
    )  # fmt: skip


@parallel_kernel(_signature)
def sweep(
    x: Any, weights: Array, bias: Array, y: Array, strips: Array, sizes: Any, width: int, inner: bool,
    tables: Any,
) -> None:  # fmt: skip
    """y (N, H, W, C flat) from x (Memory of N, C, H, W) and packed weights and bias.

    `inner` says that `weights` is (columns, taps, channels) and that inner products are wanted.

    `strips` (threads, size of a strip) is scratch memory.
    """
    bands = sizes.image_bands * sizes.row_bands
    parts = strips.shape[0]
    strip = strips.reshape(-1)
    flat, start, steps = x  # a parallel loop takes no tuple within a tuple
    for part in numba.prange(parts):
        source = Memory(flat, start, steps)
        for band in range(part * bands // parts, (part + 1) * bands // parts):
            _sweep_band(
                band, source, strip, part * strips.shape[1], weights, bias, y, sizes, width, inner, tables
            )  # fmt: skip
