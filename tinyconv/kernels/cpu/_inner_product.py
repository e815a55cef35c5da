"""The micro-kernel for few output channels: inner products, with vectors along the sum.

`microkernel.py` has the output channels side by side in a vector. With one to eight of them most of
the vector would be empty. Where the runs of neighbouring numbers in a window are long, the vector can
lie along the run instead: 16 numbers of the window times 16 of the weights, added up in 16 partial
sums::

    C[out[i] + j] = start[j] + sum over s, k of A[row[i] + segment[s] + k] * B[j, s, k]

The partial sums of each element of the tile are added across the lanes at the end. The end of a run
is read through a mask: the next number belongs to another pixel, and may be infinite.
"""

from __future__ import annotations

from typing import Any

import numba
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from tinyconv.kernels.cpu._compile import memory, parallel_kernel, read_only, written
from tinyconv.kernels.cpu._vector_code import INDEX, Emitter, data_pointers, has_32_registers, lanes

Array = Any

INNER_ROWS = {1: 16, 2: 8, 3: 5, 4: 4} if has_32_registers() else {1: 8, 2: 4, 3: 2, 4: 2}
"""Rows of a tile with so many columns."""


def make_inner_tile(rows: int, columns: int) -> Any:
    """A micro-kernel of `rows` x `columns` inner products, to be called in compiled functions.

    Returns
    -------
    callable
        ``tile(a, a_first, row, row_first, segment, segment_first, segments, length, b, b_first,
        b_step, c, c_first, out, start, start_first)``: flat arrays and tables, each followed by
        the index to begin at. The columns of B are `b_step` apart.
    """

    @intrinsic
    def tile(
        typingctx: Any, a: Any, a_first: Any, row: Any, row_first: Any, segment: Any, segment_first: Any,
        segments: Any, length: Any, b: Any, b_first: Any, b_step: Any, c: Any, c_first: Any, out: Any,
        start: Any, start_first: Any,
    ) -> Any:  # fmt: skip
        index = types.int64
        signature = types.void(
            a, index, row, index, segment, index, index, index, b, index, index, c, index, out, start, index
        )

        def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            data = data_pointers(context, builder, signature, args)
            emit = Emitter(builder, context.get_value_type(a.dtype), lanes(a.dtype.bitwidth // 8))
            _generate(emit, data, rows, columns)
            return context.get_dummy_value()

        return signature, generate

    return tile


def _generate(emit: Emitter, data: list[Any], rows: int, columns: int) -> None:
    """Write the code of one tile."""
    (a, a_first, row, row_first, segment, segment_first, segments, length,
     b, b_first, b_step, c, c_first, out, start, start_first) = data  # fmt: skip
    builder = emit.builder
    row_offset = emit.table(row, row_first, rows)
    a = builder.gep(a, [a_first])
    b_now = emit.variable(builder.gep(b, [b_first]))
    zero = ir.Constant(emit.vector, None)
    sums = {(i, j): emit.variable(zero) for i in range(rows) for j in range(columns)}
    full = builder.sdiv(length, emit.index(emit.width))
    rest = builder.srem(length, emit.index(emit.width))

    def step(a_now: Any, b_now: Any, load: Any) -> None:
        """One vector of the run, for all rows and columns."""
        weights = [load(emit.place(b_now, emit.index(0), (j, b_step))) for j in range(columns)]
        for i in range(rows):
            numbers = load(builder.gep(a_now, [row_offset[i]]))
            for j in range(columns):
                total = builder.call(emit.fma, [numbers, weights[j], builder.load(sums[i, j])])
                builder.store(total, sums[i, j])

    with cgutils.for_range(builder, segments, intp=INDEX) as outer:
        place = builder.add(segment_first, outer.index)
        a_run = builder.gep(a, [emit.table(segment, place, 1)[0]])
        b_run = builder.load(b_now)
        with cgutils.for_range(builder, full, intp=INDEX) as inner:
            k = builder.mul(inner.index, emit.index(emit.width))
            step(builder.gep(a_run, [k]), builder.gep(b_run, [k]), lambda at: emit.load(at, 0))
        with builder.if_then(builder.icmp_signed(">", rest, emit.index(0))):
            k = builder.sub(length, rest)
            step(builder.gep(a_run, [k]), builder.gep(b_run, [k]), lambda at: emit.load_valid(at, 0, rest))
        builder.store(builder.gep(b_run, [length]), b_now)

    targets = [builder.gep(c, [builder.add(c_first, offset)]) for offset in emit.table(out, row_first, rows)]
    first = [
        builder.load(builder.gep(start, [builder.add(start_first, emit.index(j))])) for j in range(columns)
    ]
    places = list(sums)
    for begin in range(0, len(places), emit.width):
        here = places[begin : begin + emit.width]
        total = emit.add_across([builder.load(sums[place]) for place in here])
        for lane, (i, j) in enumerate(here):
            number = builder.extract_element(total, ir.Constant(ir.IntType(32), lane))
            builder.store(builder.fadd(number, first[j]), builder.gep(targets[i], [emit.index(j)]))


TILE_1, TILE_2, TILE_3, TILE_4 = (make_inner_tile(rows, columns) for columns, rows in INNER_ROWS.items())
ROWS_OF_1, ROWS_OF_2, ROWS_OF_3, ROWS_OF_4 = INNER_ROWS.values()


@numba.njit(nogil=True)
def inner_products(
    a: Array, a_first: int, weights: Array, first: int, step: int, bias: Array, bias_first: int,
    y: Array, y_first: int, columns: int, phase: Any, tables: Any,
) -> None:  # fmt: skip
    """All output channels of all pixels of a phase; the channels' weights are `step` apart."""
    row, out, segment = tables.row, tables.out, tables.segment
    begin, end = phase.table, phase.table + phase.pixels
    for column in range(0, columns, 4):
        left = columns - column
        b, c, start = first + column * step, y_first + column, bias_first + column
        if left >= 4:
            for i in range(begin, end, ROWS_OF_4):
                TILE_4(
                    a, a_first, row, i, segment, phase.segment, phase.segments, phase.length,
                    weights, b, step, y, c, out, bias, start,
                )  # fmt: skip
        elif left == 3:
            for i in range(begin, end, ROWS_OF_3):
                TILE_3(
                    a, a_first, row, i, segment, phase.segment, phase.segments, phase.length,
                    weights, b, step, y, c, out, bias, start,
                )  # fmt: skip
        elif left == 2:
            for i in range(begin, end, ROWS_OF_2):
                TILE_2(
                    a, a_first, row, i, segment, phase.segment, phase.segments, phase.length,
                    weights, b, step, y, c, out, bias, start,
                )  # fmt: skip
        else:
            for i in range(begin, end, ROWS_OF_1):
                TILE_1(
                    a, a_first, row, i, segment, phase.segment, phase.segments, phase.length,
                    weights, b, step, y, c, out, bias, start,
                )  # fmt: skip


def _signature(number: Any) -> Any:
    shape = types.UniTuple(types.int64, 3)
    return types.void(written(number), memory(number, 5), read_only(types.int64, 2), shape)


@parallel_kernel(_signature)
def pack_columns(packed: Array, weight: Any, taps: Array, shape: Any) -> None:
    """Fill `packed` (group, column, tap, channel); the arguments are those of `_pack.pack_weights`."""
    groups, channels, columns = shape
    group_step, channel_step, column_step, h_step, w_step = weight.steps
    flat, start = weight.flat, weight.start
    for unit in numba.prange(groups * columns):
        origin = start + unit // columns * group_step + unit % columns * column_step
        for t in range(taps.shape[0]):
            to = (unit * taps.shape[0] + t) * channels
            source = origin + taps[t, 0] * h_step + taps[t, 1] * w_step
            for c in range(channels):
                packed[to + c] = flat[source + c * channel_step]
