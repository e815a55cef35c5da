"""The micro-kernels of grouped convolution: several groups side by side in the lanes of a vector.

In a group of four channels, in and out, a vector of sixteen output channels would be empty for the
most part. So four such groups share it. Lane l belongs to output channel l of the four groups
together, and meets the input channels of its own group, one after the other. A vector of sixteen
input channels gives all that is needed for that, rearranged::

    two groups of two channels, from memory:          a b | c d
    what the lanes meet first:                        a a   c c
    and then:                                         b b   d d

Each product is one of lane by lane. With one channel a group (depthwise) nothing is rearranged.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from tinyconv.kernels.cpu._vector_code import INDEX, Emitter, data_pointers, lanes

Array = Any
KNOWN_CHANNELS = (1, 2, 4, 8)
"""Channels of a group, in and out, for which there are tiles."""
TAPS_AT_ONCE = 3


def make_group_tile(rows: int, channels: int) -> Any:
    """Sums of `rows` pixels, for groups of `channels` channels in and out.

    Returns
    -------
    callable
        ``tile(a, a_first, row, row_first, segment, segment_first, segments, length, b, b_first, c,
        c_first, out, start, start_first, valid)``, as `microkernel.make_tile` has it. A step is one
        vector of input channels; B has `channels` vectors for it, C one vector for each row.
    """

    @intrinsic
    def tile(
        typingctx: Any, a: Any, a_first: Any, row: Any, row_first: Any, segment: Any, segment_first: Any,
        segments: Any, length: Any, b: Any, b_first: Any, c: Any, c_first: Any, out: Any, start: Any,
        start_first: Any, valid: Any,
    ) -> Any:  # fmt: skip
        index = types.int64
        signature = types.void(
            a, index, row, index, segment, index, index, index, b, index, c, index, out, start, index, index
        )
        return signature, generator(lambda emit, data: _sum_taps(emit, data, rows, channels))

    return tile


def make_group_grad_tile(taps: int, channels: int) -> Any:
    """Sums over pixels, of `taps` taps, for groups of `channels` channels in and out.

    Returns
    -------
    callable
        ``tile(a, a_first, row, row_first, segment, segments, length, a_step, b, b_first, c, c_first,
        out)``: each row is a tap, each step a pixel, with a vector of input channels in A, `a_step`
        apart, and one of the gradient in B. Added to C, which has `channels` vectors for each tap.
    """

    @intrinsic
    def tile(
        typingctx: Any, a: Any, a_first: Any, row: Any, row_first: Any, segment: Any, segments: Any,
        length: Any, a_step: Any, b: Any, b_first: Any, c: Any, c_first: Any, out: Any,
    ) -> Any:  # fmt: skip
        index = types.int64
        signature = types.void(
            a, index, row, index, segment, index, index, index, b, index, c, index, out
        )  # fmt: skip
        return signature, generator(lambda emit, data: _sum_pixels(emit, data, taps, channels))

    return tile


def generator(write: Callable[[Emitter, list[Any]], None]) -> Any:
    """What an intrinsic returns: `write` gets an `Emitter` of full vectors, and pointers for the arrays."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        number = signature.args[0].dtype
        data = data_pointers(context, builder, signature, args)
        write(Emitter(builder, context.get_value_type(number), lanes(number.bitwidth // 8)), data)
        return context.get_dummy_value()

    return generate


def _rearranged(emit: Emitter, vector: Any, channels: int) -> list[Any]:
    """What the lanes meet first, second, ...: in lane l, channel i of the group that l belongs to."""
    return [
        emit.rearranged(vector, [lane - lane % channels + i for lane in range(emit.width)])
        if channels > 1
        else vector
        for i in range(channels)
    ]


def _sum_taps(emit: Emitter, data: list[Any], rows: int, channels: int) -> None:
    """Write the code of a tile of pixels."""
    (a, a_first, row, row_first, segment, segment_first, segments, length,
     b, b_first, c, c_first, out, start, start_first, valid) = data  # fmt: skip
    builder = emit.builder
    row_offset = emit.table(row, row_first, rows)
    a, c = builder.gep(a, [a_first]), builder.gep(c, [c_first])
    b_now = emit.variable(builder.gep(b, [b_first]))
    first = emit.load(builder.gep(start, [start_first]), 0)
    sums = [emit.variable(first) for _ in range(rows)]

    def taps(a_now: Any, count: int) -> None:
        a_here, b_here = builder.load(a_now), builder.load(b_now)
        weights = [emit.load(b_here, i) for i in range(count * channels)]
        for i in range(rows):
            a_row = builder.gep(a_here, [row_offset[i]])
            numbers = [n for tap in range(count) for n in _rearranged(emit, emit.load(a_row, tap), channels)]
            for number, weight in zip(numbers, weights, strict=True):
                builder.store(builder.call(emit.fma, [number, weight, builder.load(sums[i])]), sums[i])
        builder.store(builder.gep(a_here, [emit.index(count * emit.width)]), a_now)
        builder.store(builder.gep(b_here, [emit.index(count * channels * emit.width)]), b_now)

    at_once = TAPS_AT_ONCE if channels == 1 else 1
    with cgutils.for_range(builder, segments, intp=INDEX) as outer:
        place = builder.add(segment_first, outer.index)
        a_now = emit.variable(builder.gep(a, [emit.table(segment, place, 1)[0]]))
        with cgutils.for_range(builder, builder.sdiv(length, emit.index(at_once)), intp=INDEX):
            taps(a_now, at_once)
        if at_once > 1:
            with cgutils.for_range(builder, builder.srem(length, emit.index(at_once)), intp=INDEX):
                taps(a_now, 1)
    for total, offset in zip(sums, emit.table(out, row_first, rows), strict=True):
        emit.store_valid(builder.load(total), builder.gep(c, [offset]), 0, valid)


def _sum_pixels(emit: Emitter, data: list[Any], taps: int, channels: int) -> None:
    """Write the code of a tile of weights."""
    (a, a_first, row, row_first, segment, segments, length, a_step, b, b_first, c, c_first, out) = data
    builder = emit.builder
    row_offset = emit.table(row, row_first, taps)
    a, c = builder.gep(a, [a_first]), builder.gep(c, [c_first])
    b_now = emit.variable(builder.gep(b, [b_first]))
    zero = ir.Constant(emit.vector, None)
    sums = [[emit.variable(zero) for _ in range(channels)] for _ in range(taps)]
    with cgutils.for_range(builder, segments, intp=INDEX) as outer:
        a_now = emit.variable(builder.gep(a, [emit.table(segment, outer.index, 1)[0]]))
        with cgutils.for_range(builder, length, intp=INDEX):
            a_here, b_here = builder.load(a_now), builder.load(b_now)
            grad = emit.load(b_here, 0)
            for t in range(taps):
                vector = emit.load(builder.gep(a_here, [row_offset[t]]), 0)
                for place, number in zip(sums[t], _rearranged(emit, vector, channels), strict=True):
                    builder.store(builder.call(emit.fma, [number, grad, builder.load(place)]), place)
            builder.store(builder.gep(a_here, [a_step]), a_now)
            builder.store(builder.gep(b_here, [emit.index(emit.width)]), b_now)
    targets = [builder.gep(c, [offset]) for offset in emit.table(out, row_first, taps)]
    places = [(t, i) for t in range(taps) for i in range(channels)]
    totals = [builder.fadd(builder.load(sums[t][i]), emit.load(targets[t], i)) for t, i in places]
    for (t, i), total in zip(places, totals, strict=True):
        emit.store(total, targets[t], i)
