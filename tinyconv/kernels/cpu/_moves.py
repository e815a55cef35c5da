"""Copies of pieces of a matrix, made of vector instructions.

They put matrices into the order in which the micro-kernel reads them. A loop over single numbers
would take a quarter of the time of a small product; a transposed copy even half of it.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from tinyconv.kernels.cpu._vector_code import INDEX, Emitter, data_pointers, lanes


@intrinsic
def copy_valid(typingctx: Any, source: Any, first: Any, target: Any, to: Any, valid: Any) -> Any:
    """Copy `valid` neighbours, at most one vector, and fill the vector up with zeros.

    ``copy_valid(source, first, target, to, valid)`` copies from ``source[first]`` to ``target[to]``.
    """
    signature = types.void(source, types.int64, target, types.int64, types.int64)

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        source_at, first, target_at, to, valid = data_pointers(context, builder, signature, args)
        emit = Emitter(builder, context.get_value_type(source.dtype), lanes(source.dtype.bitwidth // 8))
        piece = emit.load_valid(builder.gep(source_at, [first]), 0, valid)
        emit.store(piece, builder.gep(target_at, [to]), 0)
        return context.get_dummy_value()

    return signature, generate


@intrinsic
def copy_part(typingctx: Any, target: Any, to: Any, source: Any, first: Any, count: Any) -> Any:
    """Copy `count` neighbours, at most one vector, and touch no others.

    ``copy_part(target, to, source, first, count)`` copies from ``source[first]`` to ``target[to]``.
    """
    signature = types.void(target, types.int64, source, types.int64, types.int64)

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        target_at, to, source_at, first, count = data_pointers(context, builder, signature, args)
        emit = Emitter(builder, context.get_value_type(source.dtype), lanes(source.dtype.bitwidth // 8))
        piece = emit.load_valid(builder.gep(source_at, [first]), 0, count)
        emit.store_valid(piece, builder.gep(target_at, [to]), 0, count)
        return context.get_dummy_value()

    return signature, generate


@intrinsic
def copy_square_transposed(
    typingctx: Any, source: Any, first: Any, step: Any, target: Any, to: Any, target_step: Any
) -> Any:
    """Copy a square of as many rows as a vector has lanes, and turn its rows into columns.

    ``copy_square_transposed(source, first, step, target, to, target_step)``: the rows begin at
    ``source[first + i * step]``, the columns at ``target[to + j * target_step]``.
    """
    index = types.int64
    signature = types.void(source, index, index, target, index, index)

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        source_at, first, step, target_at, to, target_step = data_pointers(context, builder, signature, args)
        width = lanes(source.dtype.bitwidth // 8)
        emit = Emitter(builder, context.get_value_type(source.dtype), width)
        rows = [emit.load(emit.place(source_at, first, (i, step)), 0) for i in range(width)]
        for j, column in enumerate(_transposed(builder, rows)):
            emit.store(column, emit.place(target_at, to, (j, target_step)), 0)
        return context.get_dummy_value()

    return signature, generate


@intrinsic
def copy_part_transposed(
    typingctx: Any, source: Any, first: Any, step: Any, valid: Any, target: Any, to: Any, target_step: Any
) -> Any:  # fmt: skip
    """As `copy_square_transposed`, but only the first `valid` numbers of each row are read.

    The columns of the others are written too, as zeros.
    """
    index = types.int64
    signature = types.void(source, index, index, index, target, index, index)

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        data = data_pointers(context, builder, signature, args)
        source_at, first, step, valid, target_at, to, target_step = data
        width = lanes(source.dtype.bitwidth // 8)
        emit = Emitter(builder, context.get_value_type(source.dtype), width)
        places = [emit.place(source_at, first, (i, step)) for i in range(width)]
        rows = [emit.load_valid(place, 0, valid) for place in places]
        for j, column in enumerate(_transposed(builder, rows)):
            emit.store(column, emit.place(target_at, to, (j, target_step)), 0)
        return context.get_dummy_value()

    return signature, generate


@intrinsic
def add_vectors(
    typingctx: Any, source: Any, first: Any, step: Any, count: Any, target: Any, to: Any
) -> Any:  # fmt: skip
    """Copy the sum of `count` vectors, at ``source[first + i * step]``, to ``target[to]``.

    They are added one after the other; one vector is only copied.
    """
    index = types.int64
    signature = types.void(source, index, index, index, target, index)

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        source_at, first, step, count, target_at, to = data_pointers(context, builder, signature, args)
        emit = Emitter(builder, context.get_value_type(source.dtype), lanes(source.dtype.bitwidth // 8))
        place = emit.variable(builder.gep(source_at, [first]))
        total = emit.variable(emit.load(builder.load(place), 0))
        with cgutils.for_range(builder, builder.sub(count, emit.index(1)), intp=INDEX):
            builder.store(builder.gep(builder.load(place), [step]), place)
            builder.store(builder.fadd(builder.load(total), emit.load(builder.load(place), 0)), total)
        emit.store(builder.load(total), builder.gep(target_at, [to]), 0)
        return context.get_dummy_value()

    return signature, generate


def _transposed(builder: Any, rows: list[Any]) -> list[Any]:
    """The columns of a square of vectors.

    The place of a number is its row and its column, two numbers of a few bits. To transpose is to
    swap the first bit of the one with the first bit of the other, then the second bits, and so on;
    each time pairs of rows exchange half of their numbers.
    """
    width = len(rows)
    bit = 1
    while bit < width:
        lower = [width + j - bit if j & bit else j for j in range(width)]
        upper = [width + j if j & bit else j + bit for j in range(width)]
        before, rows = rows, list(rows)
        for i in range(width):
            if not i & bit:
                pair = before[i], before[i + bit]
                rows[i], rows[i + bit] = (
                    builder.shuffle_vector(*pair, ir.Constant(ir.VectorType(ir.IntType(32), width), places))
                    for places in (lower, upper)
                )
        bit *= 2
    return rows
