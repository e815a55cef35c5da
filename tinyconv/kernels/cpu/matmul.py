"""Matrix products on the micro-kernel, without BLAS and its threads."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyconv.kernels.cpu import _dots, reduction
from tinyconv.kernels.cpu._gemm import SEGMENT, gemm, row_table
from tinyconv.kernels.cpu._vector_code import lanes
from tinyconv.kernels.cpu.memory import read_only
from tinyconv.kernels.cpu.threads import use_threads
from tinyconv.kernels.reference import matmul as reference

Array = Any

SMALL = 2**18
"""Below this many multiply-adds NumPy's product is as quick, and runs on one thread."""

FLOAT32 = np.dtype(np.float32)
WIDTH = lanes(FLOAT32.itemsize)
NO_BIAS = read_only(np.zeros(0, FLOAT32))


def matmul(a: Array, b: Array) -> Array:
    """Matrix product of the last two axes; products of stacks of matrices are left to NumPy."""
    if b.ndim != 2 or not _suits(a, b):
        return reference.matmul(a, b)
    return _stacked(_product(_rows(a), b, NO_BIAS), a)


def linear(x: Array, weight: Array, bias: Array | None) -> Array:
    """``x @ weight.T + bias``: (..., out) of x (..., in), weight (out, in), bias (out,)."""
    suits = weight.ndim == 2 and _suits(x, weight.T)
    if not suits or (bias is not None and (bias.dtype != FLOAT32 or bias.shape != weight.shape[:1])):
        return reference.linear(x, weight, bias)
    return _stacked(_product(_rows(x), weight.T, NO_BIAS if bias is None else bias), x)


def linear_gradients(
    grad: Array, x: Array, weight: Array, wanted: tuple[bool, bool, bool]
) -> tuple[Array | None, Array | None, Array | None]:
    """The gradients of x, weight and bias of `linear`, where `wanted`.

    That of x lies in memory as x does, and that of the weight in C order, as most weights do.
    """
    wants_x, wants_weight, wants_bias = wanted
    x_grad = weight_grad = bias_grad = None
    if wants_x:
        x_grad = matmul(weight.T, grad.T).T if _lies_by_columns(x) else matmul(grad, weight)
    if wants_weight:
        weight_grad = _gemm(grad.T, x, NO_BIAS, False) if _suits(grad.T, x) else matmul(grad.T, x)
    if wants_bias:
        bias_grad = reduction.sum(grad, (0,), False)
    return x_grad, weight_grad, bias_grad


def _suits(a: Array, b: Array) -> bool:
    """Whether a (..., k) times b (k, n) is a float32 product that is worth our threads."""
    return (
        a.ndim >= 2
        and a.dtype == b.dtype == FLOAT32
        and a.shape[-1] == b.shape[0]
        and a.size * b.shape[1] > SMALL
    )


def _rows(x: Array) -> Array:
    return x if x.ndim == 2 else x.reshape(-1, x.shape[-1])


def _stacked(y: Array, x: Array) -> Array:
    """The rows of y in the shape that those of x had."""
    return y if x.ndim == 2 else y.reshape(*x.shape[:-1], y.shape[1])


def _product(a: Array, b: Array, bias: Array) -> Array:
    """a (m, k) times b (k, n) plus bias (n,).

    The kernel copies b, and that is slow where b's columns lie in memory one after the other.
    Then, if b is the larger of the two, the transposed product is computed: C' = B' A'. Where one
    of the two has only a few rows or columns, nothing is copied but these.
    """
    if _dots.suits(b.T, a):
        return _few(b.T, a, bias)
    if _dots.suits(a, b.T):
        return _few(a, b.T, bias[:, None]).T
    if a.size < b.size and _lies_by_columns(b):
        return _gemm(b.T, a.T, bias, True).T
    return _gemm(a, b, bias, False)


def _few(rows: Array, columns: Array, start: Array) -> Array:
    """Rows (n, k) times a few columns (m, k), plus `start`, which may be empty: (m, n)."""
    y = np.empty((len(columns), len(rows)), FLOAT32)
    y[...] = start if start.size else 0
    use_threads(rows.size * len(columns))
    _dots.add_dots(rows, np.ascontiguousarray(columns), y)
    return y


def _lies_by_columns(x: Array) -> bool:
    """Whether the columns of x, and not its rows, are runs of memory."""
    return bool(abs(x.strides[0]) < abs(x.strides[1]))


def _gemm(a: Array, b: Array, bias: Array, by_row: bool) -> Array:
    """a times b plus bias, which has a number per column of the product, or per row."""
    a, b, bias = _in_steps(a), _in_steps(b), _in_steps(bias)
    (m, k), n = a.shape, b.shape[1]
    threads = use_threads(m * n * k)
    row, out = row_table(m, n, a.strides[0] // a.itemsize, threads, WIDTH)
    c = np.empty((m, n), FLOAT32)
    gemm(FLOAT32)(a, b, bias, by_row, c, row, out, SEGMENT, WIDTH)
    return c


def _in_steps(x: Array) -> Array:
    """x, or a copy if its numbers do not lie whole numbers of places apart."""
    if x.strides[0] % x.itemsize == 0 == x.strides[-1] % x.itemsize and x.flags.aligned:
        return x
    return x.copy()
