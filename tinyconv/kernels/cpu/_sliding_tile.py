"""The micro-kernels of depthwise convolution with kernels three wide and stride 1.

With one channel a group each loaded vector of `_group_tile.py` feeds a single multiply-add, and the
loads take longer than the sums. But windows side by side overlap: of a row of `PIXELS` pixels and
their two neighbours each vector, loaded once, serves the three windows that it lies in.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from tinyconv.kernels.cpu._group_tile import generator
from tinyconv.kernels.cpu._vector_code import INDEX, Emitter

PIXELS = 8
GRAD_PIXELS = 4
TAPS = 3
"""In a kernel row; for the weight gradient there must be as many rows."""


@intrinsic
def sliding_tile(
    typingctx: Any, a: Any, a_first: Any, segment: Any, segment_first: Any, segments: Any,
    b: Any, b_first: Any, c: Any, c_first: Any, c_step: Any, start: Any, start_first: Any, valid: Any,
) -> Any:  # fmt: skip
    """Sums of `PIXELS` pixels side by side, `c_step` apart in C; each segment is a kernel row."""
    index = types.int64
    signature = types.void(a, index, segment, index, index, b, index, c, index, index, start, index, index)
    return signature, generator(_sum_taps)


@intrinsic
def sliding_grad_tile(
    typingctx: Any, a: Any, a_first: Any, row: Any, segment: Any, segments: Any, length: Any,
    b: Any, b_first: Any, c: Any, c_first: Any,
) -> Any:  # fmt: skip
    """Sums of nine taps over `length` pixels of each segment, added to the nine vectors of C.

    Every third entry of `row` says where a kernel row begins.
    """
    index = types.int64
    signature = types.void(a, index, row, segment, index, index, b, index, c, index)
    return signature, generator(_sum_pixels)


def _sum_taps(emit: Emitter, data: list[Any]) -> None:
    """Write the code of `sliding_tile`."""
    (a, a_first, segment, segment_first, segments, b, b_first, c, c_first, c_step, start, start_first,
     valid) = data  # fmt: skip
    builder = emit.builder
    a, c = builder.gep(a, [a_first]), builder.gep(c, [c_first])
    b_now = emit.variable(builder.gep(b, [b_first]))
    first = emit.load(builder.gep(start, [start_first]), 0)
    sums = [emit.variable(first) for _ in range(PIXELS)]
    with cgutils.for_range(builder, segments, intp=INDEX) as outer:
        place = builder.add(segment_first, outer.index)
        a_row = builder.gep(a, [emit.table(segment, place, 1)[0]])
        b_row = builder.load(b_now)
        weights = [emit.load(b_row, tap) for tap in range(TAPS)]
        for column in range(PIXELS + TAPS - 1):
            number = emit.load(a_row, column)
            for tap, weight in enumerate(weights):
                if 0 <= column - tap < PIXELS:
                    total = sums[column - tap]
                    builder.store(builder.call(emit.fma, [number, weight, builder.load(total)]), total)
        builder.store(builder.gep(b_row, [emit.index(TAPS * emit.width)]), b_now)
    for i, total in enumerate(sums):
        emit.store_valid(builder.load(total), emit.place(c, emit.index(0), (i, c_step)), 0, valid)


def _sum_pixels(emit: Emitter, data: list[Any]) -> None:
    """Write the code of `sliding_grad_tile`."""
    (a, a_first, row, segment, segments, length, b, b_first, c, c_first) = data
    builder = emit.builder
    starts = emit.table(row, emit.index(0), TAPS * TAPS)[::TAPS]
    a, c = builder.gep(a, [a_first]), builder.gep(c, [c_first])
    b_now = emit.variable(builder.gep(b, [b_first]))
    sums = [[emit.variable(ir.Constant(emit.vector, None)) for _ in range(TAPS)] for _ in starts]

    def pixels(a_now: Any, count: int) -> None:
        a_here, b_here = builder.load(a_now), builder.load(b_now)
        grads = [emit.load(b_here, pixel) for pixel in range(count)]
        for start, totals in zip(starts, sums, strict=True):
            a_row = builder.gep(a_here, [start])
            for column in range(count + TAPS - 1):
                number = emit.load(a_row, column)
                for tap, total in enumerate(totals):
                    if 0 <= column - tap < count:
                        terms = [number, grads[column - tap], builder.load(total)]
                        builder.store(builder.call(emit.fma, terms), total)
        for now, here in ((a_now, a_here), (b_now, b_here)):
            builder.store(builder.gep(here, [emit.index(count * emit.width)]), now)

    with cgutils.for_range(builder, segments, intp=INDEX) as outer:
        a_now = emit.variable(builder.gep(a, [emit.table(segment, outer.index, 1)[0]]))
        with cgutils.for_range(builder, builder.sdiv(length, emit.index(GRAD_PIXELS)), intp=INDEX):
            pixels(a_now, GRAD_PIXELS)
        with cgutils.for_range(builder, builder.srem(length, emit.index(GRAD_PIXELS)), intp=INDEX):
            pixels(a_now, 1)
    for i, total in enumerate(total for totals in sums for total in totals):
        emit.store(builder.fadd(builder.load(total), emit.load(c, i)), c, i)
