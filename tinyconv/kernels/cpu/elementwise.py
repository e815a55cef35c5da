"""Arithmetic with all threads where two arrays lie in memory alike; NumPy for everything else.

Besides two arrays of one shape, one kind of broadcasting is fast: one number per channel
against a channels-last array.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import prange

from tinyconv.kernels.cpu import vector_math
from tinyconv.kernels.cpu.flat import dense, flat, is_dense, memory_axes, ordered_like, suits
from tinyconv.kernels.cpu.options import parallel
from tinyconv.kernels.cpu.threads import use_threads
from tinyconv.kernels.reference import elementwise as reference

Array = Any

ADD, SUB, MUL, DIV = range(4)


def add(a: Array, b: Array) -> Array:
    """``a + b``."""
    y = _fast(ADD, a, b)
    return reference.add(a, b) if y is None else y


def sub(a: Array, b: Array) -> Array:
    """``a - b``."""
    y = _fast(SUB, a, b)
    return reference.sub(a, b) if y is None else y


def mul(a: Array, b: Array) -> Array:
    """``a * b``."""
    y = _fast(MUL, a, b)
    return reference.mul(a, b) if y is None else y


def div(a: Array, b: Array) -> Array:
    """``a / b``."""
    y = _fast(DIV, a, b)
    return reference.div(a, b) if y is None else y


def exp(x: Array) -> Array:
    """``e ** x``."""
    if not suits(x):
        return reference.exp(x)
    use_threads()
    x = dense(x)
    y = np.empty_like(x)
    _exp(flat(x), flat(y))
    return y


@parallel
def _exp(x: Array, y: Array) -> None:
    for i in prange(x.size):
        y[i] = vector_math.exp(x[i])


def _fast(operation: int, a: Array, b: Array) -> Array | None:
    """The result, or None where no kernel fits."""
    if not suits(a, b) or not is_dense(a):
        return None
    if a.shape == b.shape:
        if not is_dense(b):
            return None
        use_threads()
        y = np.empty_like(a)
        _same(operation, flat(a), flat(ordered_like(b, a)), flat(y))
        return y
    row = _row(a, b)
    if row is None:
        return None
    use_threads()
    y = np.empty_like(a)
    _rows(operation, flat(a).reshape(-1, row.size), row, flat(y).reshape(-1, row.size))
    return y


def _row(a: Array, b: Array) -> Array | None:
    """Array b as a row that every row of a's memory meets, if broadcasting means that."""
    if b.ndim > a.ndim or b.size == 1:
        return None
    expected = [1] * a.ndim
    for innermost in [axis for axis in memory_axes(a) if a.shape[axis] > 1][-1:]:
        expected[innermost] = a.shape[innermost]
    aligned = b.reshape((1,) * (a.ndim - b.ndim) + b.shape)
    return np.ascontiguousarray(b).reshape(-1) if aligned.shape == tuple(expected) else None


@parallel
def _same(operation: int, a: Array, b: Array, y: Array) -> None:
    if operation == ADD:
        for i in prange(a.size):
            y[i] = a[i] + b[i]
    elif operation == SUB:
        for i in prange(a.size):
            y[i] = a[i] - b[i]
    elif operation == MUL:
        for i in prange(a.size):
            y[i] = a[i] * b[i]
    else:
        for i in prange(a.size):
            y[i] = a[i] / b[i]


@parallel
def _rows(operation: int, a: Array, b: Array, y: Array) -> None:
    for i in prange(a.shape[0]):
        source, target = a[i], y[i]
        if operation == ADD:
            for j in range(b.size):
                target[j] = source[j] + b[j]
        elif operation == SUB:
            for j in range(b.size):
                target[j] = source[j] - b[j]
        elif operation == MUL:
            for j in range(b.size):
                target[j] = source[j] * b[j]
        else:
            for j in range(b.size):
                target[j] = source[j] / b[j]
