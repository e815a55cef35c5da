"""The activation functions as pieces of loops, for the kernels that apply one to what they just computed.

Each is written for one number, so that a function on its own, at the end of a convolution, or beside dropout
is the same arithmetic, bit for bit.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numba
import numpy as np
from numba import prange

from tinyconv.kernels.cpu import vector_math
from tinyconv.kernels.cpu.flat import WORK
from tinyconv.kernels.cpu.options import ARITHMETIC, inlined, parallel
from tinyconv.kernels.cpu.threads import use_threads

Array = Any
Float = Any

ZERO, ONE = np.float32(0), np.float32(1)
NONE, RELU, LEAKY_RELU, ELU, SIGMOID, TANH = range(6)
KINDS = {"relu": RELU, "leaky_relu": LEAKY_RELU, "elu": ELU, "sigmoid": SIGMOID, "tanh": TANH}


class Epilogue(NamedTuple):
    """What becomes of each number of a result: a function, and its slope or alpha."""

    kind: int
    number: np.float32


NOTHING = Epilogue(NONE, ZERO)

PIECE = 4096


def epilogue_of(name: str, numbers: tuple[float, ...]) -> Epilogue:
    """Of the activation function with this name."""
    return Epilogue(KINDS[name], np.float32(numbers[0] if numbers else 0))


@inlined
def relu(x: Float) -> Float:
    return ZERO if x <= ZERO else x


@inlined
def relu_backward(grad: Float, y: Float) -> Float:
    return ZERO if y <= ZERO else grad


@inlined
def leaky_relu(x: Float, slope: Float) -> Float:
    return x * (ONE if x > ZERO else slope)


@inlined
def leaky_relu_backward(grad: Float, x: Float, slope: Float) -> Float:
    return grad * (ONE if x > ZERO else slope)


@inlined
def elu(x: Float, alpha: Float) -> Float:
    negative = ZERO if x > ZERO else x
    return x if x > ZERO else alpha * vector_math.expm1(negative)


@inlined
def elu_backward(grad: Float, y: Float, alpha: Float) -> Float:
    return grad * (ONE if y > ZERO else y + alpha)


@inlined
def sigmoid_backward(grad: Float, y: Float) -> Float:
    return grad * y * (ONE - y)


@inlined
def tanh_backward(grad: Float, y: Float) -> Float:
    return grad * (ONE - y * y)


@numba.njit(nogil=True, **ARITHMETIC)
def activate(y: Array, first: int, count: int, rows: int, step: int, kind: int, number: Float) -> None:
    """Apply a function to `rows` runs of `count` numbers of y, `step` apart, from `first` on."""
    for begin in range(first, first + rows * step, step):
        run = y[begin : begin + count]
        if kind == RELU:
            for i in range(run.size):
                run[i] = relu(run[i])
        elif kind == LEAKY_RELU:
            for i in range(run.size):
                run[i] = leaky_relu(run[i], number)
        elif kind == ELU:
            for i in range(run.size):
                run[i] = elu(run[i], number)
        elif kind == SIGMOID:
            for i in range(run.size):
                run[i] = vector_math.sigmoid(run[i])
        elif kind == TANH:
            for i in range(run.size):
                run[i] = vector_math.tanh(run[i])


@numba.njit(nogil=True, **ARITHMETIC)
def differentiate(grad: Array, at: Array, result: Array, kind: int, number: Float) -> None:
    """The gradient before the function, from that after it and what its derivative is taken from.

    The arrays are runs of the same length; `result` may be `grad`.
    """
    if kind == RELU:
        for i in range(result.size):
            result[i] = relu_backward(grad[i], at[i])
    elif kind == LEAKY_RELU:
        for i in range(result.size):
            result[i] = leaky_relu_backward(grad[i], at[i], number)
    elif kind == ELU:
        for i in range(result.size):
            result[i] = elu_backward(grad[i], at[i], number)
    elif kind == SIGMOID:
        for i in range(result.size):
            result[i] = sigmoid_backward(grad[i], at[i])
    elif kind == TANH:
        for i in range(result.size):
            result[i] = tanh_backward(grad[i], at[i])


def activated(y: Array, epilogue: Epilogue) -> Array:
    """The array y, channels-last in memory, with the function applied to it where it lies."""
    if epilogue.kind:
        use_threads(WORK * y.size)
        _activate(y.transpose(0, 2, 3, 1).reshape(-1), *epilogue)
    return y


@parallel
def _activate(y: Array, kind: int, number: float) -> None:
    pieces = (y.size + PIECE - 1) // PIECE
    for piece in prange(pieces):
        first = piece * PIECE
        activate(y, first, min(PIECE, y.size - first), 1, 1, kind, number)
