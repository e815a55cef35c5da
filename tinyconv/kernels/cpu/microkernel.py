"""The micro-kernel: a small matrix product whose sums stay in vector registers.

All convolution kernels, and their gradients, spend their time here. A processor reaches its
peak only if almost every instruction is a fused multiply-add on full vector registers. A dot
product cannot do that: two loads for one multiply-add. An outer product can: mr numbers of A
and nv vectors of B, once loaded, feed mr * nv multiply-adds. So one call computes a tile of
mr rows and nv * LANES columns of C, and each element of the tile is a sum that never leaves
its register before it is finished::

    C[out[i], j] = start[i, j] + sum over s, k of A[row[i] + segment[s] + k * a_step] * B[s, k, j]

Nothing is assumed about where the rows of A lie: `row` is a table of offsets, one per row, and
the sum runs over `segments` runs of `length` steps each. With channels-last memory this is a
convolution without im2col. A row is an output pixel, and row[i] the place where its window
starts; one kernel row of that window is ``kernel_width * C_in`` neighbours in memory, hence
one segment; B holds the weights. For the weight gradient a row is one weight, the sum runs
along image rows, and B holds the gradient of the output. `out` is a table too, so that a
transposed convolution can write every second pixel.

The last tile of a table need not be full: its entries repeat the last row, and the same
number is stored again. Columns come padded in B; a kernel made with ``masked=True`` stores
only the valid ones.

The vectors are written as LLVM code, because neither NumPy nor Numba can promise that mr * nv
sums stay in registers. `make_tile` is a Numba intrinsic: Numba calls `generate` while it
compiles a function that uses it.

Source: Goto and van de Geijn, "Anatomy of high-performance matrix multiplication", 2008;
Georganas et al., "Anatomy of high-performance deep learning convolutions on SIMD
architectures", 2018.
"""

from __future__ import annotations

from typing import Any

import numba
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from tinyconv.kernels.cpu._vector_code import INDEX, Emitter, data_pointers, has_32_registers, lanes


def most_rows(registers: int) -> tuple[int, int]:
    """Rows of tiles whose sums fit into so many registers: of one vector in a row, and of two."""
    return (24, 14) if registers == 32 else (12, 6)


ROWS_1, ROWS_2 = most_rows(32 if has_32_registers() else 16)
MAX_ROWS = max(ROWS_1, ROWS_2)
FEW_ROWS = 8 if has_32_registers() else 4
"""A lower tile is nearly as fast, and with both kinds hardly a tile sticks out of the matrix."""


@numba.njit(nogil=True)
def are_few(rows: int) -> bool:
    """Whether tiles of `FEW_ROWS` are the quicker way to so many rows of two vectors."""
    return rows <= FEW_ROWS or ROWS_2 < rows <= 2 * FEW_ROWS


def make_tile(rows: int, vectors: int, accumulate: bool, masked: bool, halved: bool = False) -> Any:
    """A micro-kernel of `rows` x `vectors` registers, to be called in compiled functions.

    Parameters
    ----------
    rows, vectors : int
        Size of the tile; ``rows * vectors`` registers hold the sums.
    accumulate : bool
        The sums start from 0 and are added to C; otherwise they start from `start`, a vector
        that all rows share (the bias), and C is overwritten.
    masked : bool
        Touch only the first `valid` columns of the last vector of C.
    halved : bool
        Vectors of half the lanes, for few columns. Where the processor computes a wide vector in two
        steps they take half the time, elsewhere no longer.

    Returns
    -------
    callable
        ``tile(a, a_first, row, row_first, segment, segment_first, segments, length, a_step,
        b, b_first, b_step, c, c_first, out, start, start_first, valid)``: flat arrays and
        tables, each followed by the index to begin at. B advances by `b_step` with every
        step of every segment.
    """

    @intrinsic
    def tile(
        typingctx: Any, a: Any, a_first: Any, row: Any, row_first: Any, segment: Any, segment_first: Any,
        segments: Any, length: Any, a_step: Any, b: Any, b_first: Any, b_step: Any, c: Any, c_first: Any,
        out: Any, start: Any, start_first: Any, valid: Any,
    ) -> Any:  # fmt: skip
        index = types.int64
        signature = types.void(
            a, index, row, index, segment, index, index, index, index,
            b, index, index, c, index, out, start, index, index,
        )  # fmt: skip

        def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            data = data_pointers(context, builder, signature, args)
            width = lanes(a.dtype.bitwidth // 8) // (2 if halved else 1)
            emit = Emitter(builder, context.get_value_type(a.dtype), width)
            _generate(emit, data, (rows, vectors), accumulate, masked, 2 if halved else 1)
            return context.get_dummy_value()

        return signature, generate

    return tile


def _generate(
    emit: Emitter, data: list[Any], shape: tuple[int, int], accumulate: bool, masked: bool, at_once: int
) -> None:
    """Write the code of one tile."""
    (a, a_first, row, row_first, segment, segment_first, segments, length, a_step,
     b, b_first, b_step, c, c_first, out, start, start_first, valid) = data  # fmt: skip
    builder = emit.builder
    rows, vectors = shape
    tile = [(i, j) for i in range(rows) for j in range(vectors)]
    row_offset = emit.table(row, row_first, rows)
    a = builder.gep(a, [a_first])
    b_now = emit.variable(builder.gep(b, [b_first]))
    first = builder.gep(start, [start_first])
    zero = ir.Constant(emit.vector, None)
    begin = [zero if accumulate else emit.load(first, j) for j in range(vectors)]
    sums = {(i, j): emit.variable(begin[j]) for i, j in tile}

    def steps(a_now: Any, count: int) -> None:
        """`count` values of k, each an outer product of `rows` numbers of A and `vectors` vectors of B."""
        a_here, b_here = builder.load(a_now), builder.load(b_now)
        b_rows = [emit.place(b_here, emit.index(0), (k, b_step)) for k in range(count)]
        b_vectors = [[emit.load(b_row, j) for j in range(vectors)] for b_row in b_rows]
        for i in range(rows):
            a_row = builder.gep(a_here, [row_offset[i]])
            for k, b_vector in enumerate(b_vectors):
                a_place = emit.place(a_row, emit.index(0), (k, a_step))
                a_number = emit.broadcast(a_place, emit.index(0))
                for j in range(vectors):
                    sum_now = builder.load(sums[i, j])
                    builder.store(builder.call(emit.fma, [a_number, b_vector[j], sum_now]), sums[i, j])
        for now, here, step in ((a_now, a_here, a_step), (b_now, b_here, b_step)):
            builder.store(emit.place(here, emit.index(0), (count, step)), now)

    with cgutils.for_range(builder, segments, intp=INDEX) as outer:
        place = builder.add(segment_first, outer.index)
        a_now = emit.variable(builder.gep(a, [emit.table(segment, place, 1)[0]]))
        with cgutils.for_range(builder, builder.sdiv(length, emit.index(at_once)), intp=INDEX):
            steps(a_now, at_once)
        if at_once > 1:
            with cgutils.for_range(builder, builder.srem(length, emit.index(at_once)), intp=INDEX):
                steps(a_now, 1)

    c = builder.gep(c, [c_first])
    targets = [builder.gep(c, [offset]) for offset in emit.table(out, row_first, rows)]
    total = {(i, j): builder.load(sums[i, j]) for i, j in tile}
    if accumulate:
        for i, j in tile:
            partly = masked and j == vectors - 1
            before = emit.load_valid(targets[i], j, valid) if partly else emit.load(targets[i], j)
            total[i, j] = builder.fadd(total[i, j], before)
    for i, j in tile:
        if masked and j == vectors - 1:
            emit.store_valid(total[i, j], targets[i], j, valid)
        else:
            emit.store(total[i, j], targets[i], j)
