"""Winograd's transforms: small constant matrices from both sides of a tile of vectors.

Four outputs of a 1-D convolution with three weights cost twelve multiplications. Winograd's
minimal filtering F(4, 3) needs six: with three small constant matrices,

    y = A^T [(G g) * (B^T d)]            d: 6 inputs, g: 3 weights, y: 4 outputs

where * multiplies element by element. The same from both sides of a 6x6 tile gives 4x4 outputs of
a 3x3 convolution, with 36 multiplications in the place of 144::

    Y = A^T [(G g G^T) * (B^T d B)] A

With many channels * becomes 36 matrix products, and these are what the time goes into. F(2, 3)
is the smaller sister: 4x4 tiles, 2x2 outputs, 16 multiplications in the place of 36.

Read from right to left, the formula is also its own derivative. The gradient of the weights is

    dg = G^T [(B^T d B) * (A dY A^T)] G

A matrix is written here as a product of factors with few numbers in each, because B^T and A^T
contain the same sums more than once. `make_transform` turns factors into straight-line vector code:
each vector holds neighbouring channels of one position of the tile.

Source: Winograd, "Arithmetic Complexity of Computations", 1980; Lavin and Gray, "Fast Algorithms
for Convolutional Neural Networks", 2016 (section 4).
"""

from __future__ import annotations

from typing import Any

from numba.core import types
from numba.extending import intrinsic

from tinyconv.kernels.cpu._vector_code import Emitter, data_pointers, lanes

Matrix = tuple[tuple[float, ...], ...]
Factors = tuple[Matrix, ...]


def transposed(factors: Factors) -> Factors:
    """The factors of the transposed product."""
    return tuple(tuple(zip(*matrix, strict=True)) for matrix in reversed(factors))


INPUT_2: Factors = (((1, 0, -1, 0), (0, 1, 1, 0), (0, -1, 1, 0), (0, 1, 0, -1)),)
WEIGHT_2: Factors = (
    ((1, 0, 0, 0), (0, 1, 1, 0), (0, 1, -1, 0), (0, 0, 0, 1)),
    ((1, 0, 0), (0.5, 0, 0.5), (0, 0.5, 0), (0, 0, 1)),
)
OUTPUT_2: Factors = (((1, 1, 1, 0), (0, 1, -1, -1)),)

INPUT_4: Factors = (
    (
        (1, 0, 0, 0, 0, 0),
        (0, 1, 1, 0, 0, 0),
        (0, -1, 1, 0, 0, 0),
        (0, 0, 0, 2, 1, 0),
        (0, 0, 0, -2, 1, 0),
        (0, 0, 0, 0, 0, 1),
    ),
    (
        (4, 0, -5, 0, 1, 0),
        (0, -4, 0, 1, 0, 0),
        (0, 0, -4, 0, 1, 0),
        (0, -1, 0, 1, 0, 0),
        (0, 0, -1, 0, 1, 0),
        (0, 4, 0, -5, 0, 1),
    ),
)
WEIGHT_4: Factors = (
    (
        (1 / 4, 0, 0, 0, 0, 0),
        (0, -1 / 6, -1 / 6, 0, 0, 0),
        (0, 1 / 6, -1 / 6, 0, 0, 0),
        (0, 0, 0, 1 / 12, 1 / 24, 0),
        (0, 0, 0, -1 / 12, 1 / 24, 0),
        (0, 0, 0, 0, 0, 1),
    ),
    ((1, 0, 0), (0, 1, 0), (1, 0, 1), (0, 1, 0), (1, 0, 4), (0, 0, 1)),
)
OUTPUT_4: Factors = (
    ((1, 1, 0, 1, 0, 0), (0, 0, 1, 0, 2, 0), (0, 1, 0, 4, 0, 0), (0, 0, 1, 0, 8, 1)),
    (
        (1, 0, 0, 0, 0, 0),
        (0, 1, 1, 0, 0, 0),
        (0, 1, -1, 0, 0, 0),
        (0, 0, 0, 1, 1, 0),
        (0, 0, 0, 1, -1, 0),
        (0, 0, 0, 0, 0, 1),
    ),
)


def _combine(emit: Emitter, row: tuple[float, ...], vectors: list[Any]) -> Any:
    """The sum of ``row[i] * vectors[i]``; numbers that are 0 or 1 cost nothing."""
    terms = sorted(((c, v) for c, v in zip(row, vectors, strict=True) if c), key=lambda term: term[0] != 1)
    (first, total), *rest = terms
    if first != 1:
        total = emit.builder.fmul(emit.constant(first), total)
    for coefficient, vector in rest:
        if coefficient == 1:
            total = emit.builder.fadd(total, vector)
        elif coefficient == -1:
            total = emit.builder.fsub(total, vector)
        else:
            total = emit.builder.call(emit.fma, [emit.constant(coefficient), vector, total])
    return total


def _multiply(emit: Emitter, factors: Factors, column: list[Any]) -> list[Any]:
    """The product of the factors and a column of vectors."""
    for matrix in reversed(factors):
        column = [_combine(emit, row, column) for row in matrix]
    return column


def make_transform(factors: Factors, add_bias: bool = False) -> Any:
    """T X T^T for a tile X of vectors, T being the product of `factors`.

    Returns
    -------
    callable
        ``transform(source, first, row_step, column_step, target, first, row_step, column_step,
        bias, first)``: flat arrays, each followed by the index to begin at. `bias` is a vector that
        is added to each result; it is not looked at unless `add_bias`.
    """

    @intrinsic
    def transform(
        typingctx: Any, source: Any, source_first: Any, source_row: Any, source_column: Any,
        target: Any, target_first: Any, target_row: Any, target_column: Any, bias: Any, bias_first: Any,
    ) -> Any:  # fmt: skip
        index = types.int64
        signature = types.void(source, index, index, index, target, index, index, index, bias, index)

        def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            data = data_pointers(context, builder, signature, args)
            emit = Emitter(builder, context.get_value_type(target.dtype), lanes(target.dtype.bitwidth // 8))
            _generate(emit, data, factors, add_bias)
            return context.get_dummy_value()

        return signature, generate

    return transform


def _generate(emit: Emitter, data: list[Any], factors: Factors, add_bias: bool) -> None:
    """Write the code: the columns first, then the rows."""
    (source, source_first, source_row, source_column,
     target, target_first, target_row, target_column, bias, bias_first) = data  # fmt: skip
    outputs, inputs = len(factors[0]), len(factors[-1][0])
    rows_done = []
    for j in range(inputs):
        column = [
            emit.load(emit.place(source, source_first, (i, source_row), (j, source_column)), 0)
            for i in range(inputs)
        ]
        rows_done.append(_multiply(emit, factors, column))
    shift = emit.load(emit.builder.gep(bias, [bias_first]), 0) if add_bias else None
    for i in range(outputs):
        for j, value in enumerate(_multiply(emit, factors, [column[i] for column in rows_done])):
            result = value if shift is None else emit.builder.fadd(value, shift)
            emit.store(result, emit.place(target, target_first, (i, target_row), (j, target_column)), 0)
