"""Windows of pooling, a vector of channels at a time, with what is found kept in registers.

A window is a box of pixels, and each step looks at one pixel of it, in as many channels as a vector
register holds. What a loop over the channels inside the loop over the pixels would write to memory and
read again for every pixel (the largest so far, and its place) is written once here. That matters most
for images with few channels, where such a loop is shorter than what it takes to begin it.

All arrays are flat, channels last. A box is (first, end, step) of the depth, the height and the width; a
tail has fewer channels than a vector, and touches no others.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from tinyconv.kernels.cpu._vector_code import INDEX, Emitter, data_pointers, lanes

PLACE = ir.IntType(32)
PIXELS = types.UniTuple(types.int64, 9)
SIZE = types.UniTuple(types.int64, 2)
LANES = lanes(4)
TURNS = 4
"""Sums that take turns over the pixels of a window: each stays small, and so does what rounding loses."""


def walk_box(builder: Any, box: Any, size: Any, visit: Callable[[Any], None]) -> None:
    """Write the loops over the pixels of a box in an image of (height, width); a pixel is its flat index."""
    bounds = [builder.extract_value(box, i) for i in range(9)]
    height, width = (builder.extract_value(size, i) for i in range(2))

    def loop(dimension: int) -> Any:
        first, end, step = bounds[3 * dimension : 3 * dimension + 3]
        return cgutils.for_range_slice(builder, first, end, step, intp=INDEX, inc=True)

    with loop(0) as (d, _):
        depth_row = builder.mul(d, height)
        with loop(1) as (h, _):
            row = builder.mul(builder.add(depth_row, h), width)
            with loop(2) as (w, _):
                visit(builder.add(row, w))


def _corner(builder: Any, box: Any, size: Any) -> Any:
    """The first pixel of a box."""
    d, h, w = (builder.extract_value(box, 3 * i) for i in range(3))
    height, width = (builder.extract_value(size, i) for i in range(2))
    row = builder.add(builder.mul(d, height), h)
    return builder.add(builder.mul(row, width), w)


class Channels:
    """Loads and stores of the same channels of any pixel: a whole vector, or the first `valid` of a tail."""

    def __init__(self, context: Any, builder: Any, valid: Any) -> None:
        self.emit = Emitter(builder, ir.FloatType(), LANES)
        self.builder, self.valid = builder, valid
        self.places = ir.VectorType(PLACE, LANES)

    def load(self, pointer: Any, index: Any) -> Any:
        pointer = self._floats(pointer, index)
        return (
            self.emit.load(pointer, 0) if self.valid is None else self.emit.load_valid(pointer, 0, self.valid)
        )

    def store(self, value: Any, pointer: Any, index: Any) -> None:
        pointer = self._floats(pointer, index)
        value = self.builder.bitcast(value, self.emit.vector)
        if self.valid is None:
            self.emit.store(value, pointer, 0)
        else:
            self.emit.store_valid(value, pointer, 0, self.valid)

    def _floats(self, pointer: Any, index: Any) -> Any:
        """Where floats begin, or places: 32 bits are moved, whatever they mean."""
        return self.builder.bitcast(self.builder.gep(pointer, [index]), ir.FloatType().as_pointer())

    def place(self, pixel: Any) -> Any:
        """The index of a pixel in every lane."""
        return self.emit.repeat(self.builder.trunc(pixel, PLACE), self.places)

    def number(self, value: Any) -> Any:
        """A number in every lane."""
        return self.emit.repeat(value, self.emit.vector)

    def count_others(self, found: Any) -> Any:
        """How many channels are not marked in `found`."""
        missing = self.builder.not_(found)
        if self.valid is not None:
            missing = self.builder.and_(missing, self.emit.mask(self.valid))
        bits = self.builder.bitcast(missing, ir.IntType(LANES))
        return self.builder.zext(self.builder.ctpop(bits), INDEX)


def make_largest(tail: bool) -> Any:
    """The largest of a window, and its place; the first of equals wins, and a NaN wins over all.

    ``largest(x, origin, channels, size, box, y, indices, target, valid)``: pixel p of x begins at
    ``origin + p * channels``.
    """

    @intrinsic
    def largest(
        typingctx: Any, x: Any, origin: Any, channels: Any, size: Any, box: Any, y: Any, indices: Any,
        target: Any, valid: Any,
    ) -> Any:  # fmt: skip
        index = types.int64
        signature = types.void(x, index, index, SIZE, PIXELS, y, indices, index, index)

        def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            x, origin, channels, size, box, y, indices, target, valid = data_pointers(
                context, builder, signature, args
            )
            here = Channels(context, builder, valid if tail else None)
            best = here.emit.variable(here.emit.constant(float("-inf")))
            # where all are minus infinity, none is larger than the first
            where = here.emit.variable(here.place(_corner(builder, box, size)))

            def visit(pixel: Any) -> None:
                value = here.load(x, builder.add(origin, builder.mul(pixel, channels)))
                so_far = builder.load(best)
                larger = builder.or_(
                    builder.fcmp_ordered(">", value, so_far), builder.fcmp_unordered("uno", value, value)
                )
                builder.store(builder.select(larger, value, so_far), best)
                builder.store(builder.select(larger, here.place(pixel), builder.load(where)), where)

            walk_box(builder, box, size, visit)
            here.store(builder.load(best), y, target)
            here.store(builder.load(where), indices, target)
            return context.get_dummy_value()

        return signature, generate

    return largest


def make_sum(tail: bool, weighted: bool) -> Any:
    """The sum of a window, times `factor`; if it is weighted, each pixel times a number of `weights`.

    ``total(x, origin, channels, size, box, weights, factor, y, target, valid)``
    """

    @intrinsic
    def total(
        typingctx: Any, x: Any, origin: Any, channels: Any, size: Any, box: Any, weights: Any, factor: Any,
        y: Any, target: Any, valid: Any,
    ) -> Any:  # fmt: skip
        index = types.int64
        signature = types.void(x, index, index, SIZE, PIXELS, weights, types.float32, y, index, index)

        def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            x, origin, channels, size, box, weights, factor, y, target, valid = data_pointers(
                context, builder, signature, args
            )
            here = Channels(context, builder, valid if tail else None)
            sums = [here.emit.variable(ir.Constant(here.emit.vector, None)) for _ in range(TURNS)]

            def visit(pixel: Any) -> None:
                value = here.load(x, builder.add(origin, builder.mul(pixel, channels)))
                so_far, *others = map(builder.load, sums)
                if weighted:
                    weight = here.emit.broadcast(weights, pixel)
                    more = builder.call(here.emit.fma, [value, weight, so_far])
                else:
                    more = builder.fadd(so_far, value)
                for place, now in zip(sums, (*others, more), strict=True):
                    builder.store(now, place)

            walk_box(builder, box, size, visit)
            result = functools.reduce(builder.fadd, map(builder.load, sums))
            here.store(result if weighted else builder.fmul(result, here.number(factor)), y, target)
            return context.get_dummy_value()

        return signature, generate

    return total


def make_fill(tail: bool) -> Any:
    """A window of zeros, but for a number of x in each channel where its index says.

    ``fill(x, indices, source, size, box, y, origin, channels, valid)`` gives how many indices lie elsewhere.
    """

    @intrinsic
    def fill(
        typingctx: Any, x: Any, indices: Any, source: Any, size: Any, box: Any, y: Any, origin: Any,
        channels: Any, valid: Any,
    ) -> Any:  # fmt: skip
        index = types.int64
        signature = types.int64(x, indices, index, SIZE, PIXELS, y, index, index, index)

        def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            x, indices, source, size, box, y, origin, channels, valid = data_pointers(
                context, builder, signature, args
            )
            here = Channels(context, builder, valid if tail else None)
            value = here.load(x, source)
            wanted = builder.bitcast(here.load(indices, source), here.places)
            zero = ir.Constant(here.emit.vector, None)
            found = here.emit.variable(ir.Constant(ir.VectorType(ir.IntType(1), LANES), None))

            def visit(pixel: Any) -> None:
                hit = builder.icmp_signed("==", wanted, here.place(pixel))
                builder.store(builder.or_(builder.load(found), hit), found)
                result = builder.select(hit, value, zero)
                here.store(result, y, builder.add(origin, builder.mul(pixel, channels)))

            walk_box(builder, box, size, visit)
            return here.count_others(builder.load(found))

        return signature, generate

    return fill
