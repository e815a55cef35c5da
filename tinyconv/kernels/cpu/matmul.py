"""Matrix products on the micro-kernel, without BLAS and its threads."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyconv.kernels.cpu import _dots
from tinyconv.kernels.cpu._gemm import SEGMENT, gemm, row_table
from tinyconv.kernels.cpu._vector_code import lanes
from tinyconv.kernels.cpu.memory import as_memory
from tinyconv.kernels.cpu.threads import use_threads
from tinyconv.kernels.reference import matmul as reference

Array = Any

SMALL = 2**18
"""Below this many multiply-adds NumPy's product runs on one thread, and starting ours costs more."""


def matmul(a: Array, b: Array) -> Array:
    """Matrix product of the last two axes; products of stacks of matrices are left to NumPy."""
    if b.ndim != 2 or not _suits(a, b):
        return reference.matmul(a, b)
    return _product(_rows(a), b, None).reshape(*a.shape[:-1], b.shape[1])


def linear(x: Array, weight: Array, bias: Array | None) -> Array:
    """``x @ weight.T + bias``: (..., out) of x (..., in), weight (out, in), bias (out,)."""
    suits = weight.ndim == 2 and _suits(x, weight.T)
    if not suits or (bias is not None and (bias.dtype != np.float32 or bias.shape != weight.shape[:1])):
        return reference.linear(x, weight, bias)
    return _product(_rows(x), weight.T, bias).reshape(*x.shape[:-1], weight.shape[0])


def _suits(a: Array, b: Array) -> bool:
    """Whether a (..., k) times b (k, n) is a float32 product that is worth our threads."""
    return (
        a.ndim >= 2
        and a.dtype == b.dtype == np.float32
        and a.shape[-1] == b.shape[0]
        and a.size * b.shape[1] > SMALL
    )


def _rows(x: Array) -> Array:
    return x.reshape(-1, x.shape[-1])


def _product(a: Array, b: Array, bias: Array | None) -> Array:
    """a (m, k) times b (k, n) plus bias (n,).

    The kernel copies b, and that is slow where b's columns lie in memory one after the other.
    Then, if b is the larger of the two, the transposed product is computed: C' = B' A'. Where one
    of the two has only a few rows or columns, nothing is copied but these.
    """
    if _dots.suits(b.T, a):
        return _few(b.T, a, bias)
    if _dots.suits(a, b.T):
        return _few(a, b.T, None if bias is None else bias[:, None]).T
    by_columns = abs(b.strides[0]) < abs(b.strides[1])
    if by_columns and a.size < b.size:
        c = _uninitialised(b.shape[1], a.shape[0], a.dtype)
        if bias is not None:
            c[: b.shape[1] * a.shape[0]].reshape(b.shape[1], a.shape[0])[...] = bias[:, None]
        return _gemm(b.T, a.T, None, c, bias is not None).T
    return _gemm(a, b, bias, _uninitialised(a.shape[0], b.shape[1], a.dtype), False)


def _few(rows: Array, columns: Array, start: Array | None) -> Array:
    """Rows (n, k) times a few columns (m, k), plus `start`: (m, n)."""
    y = np.empty((len(columns), len(rows)), rows.dtype)
    y[...] = 0 if start is None else start
    use_threads(rows.size * len(columns))
    _dots.add_dots(rows, np.ascontiguousarray(columns), y)
    return y


def _uninitialised(m: int, n: int, dtype: Any) -> Array:
    """Room for m * n numbers, and for a vector to spare."""
    return np.empty(m * n + lanes(dtype.itemsize), dtype)


def _gemm(a: Array, b: Array, bias: Array | None, c: Array, filled: bool) -> Array:
    """a times b plus bias (n,), or plus what c is filled with."""
    (m, k), n = a.shape, b.shape[1]
    threads, width = use_threads(m * n * k), lanes(a.itemsize)
    left = as_memory(a)
    row, out = row_table(m, n, left.steps[0], threads, width)
    start = np.zeros(n + 2 * width, a.dtype)
    if bias is not None:
        start[:n] = bias
    gemm(a.dtype)(left, as_memory(b), start, filled, c, row, out, SEGMENT, (m, n, k), width)
    return c[: m * n].reshape(m, n)
