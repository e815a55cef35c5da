"""Which loop multiplies two matrices, and its memory; with an activation function at the end, or none."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyconv.kernels.cpu import _dots
from tinyconv.kernels.cpu._activations import NOTHING, Epilogue
from tinyconv.kernels.cpu._gemm import SEGMENT, gemm, row_table
from tinyconv.kernels.cpu._vector_code import lanes
from tinyconv.kernels.cpu.memory import aligned_empty, read_only
from tinyconv.kernels.cpu.threads import use_threads

Array = Any

SMALL = 2**18
"""Below this many multiply-adds NumPy's product is as quick, and runs on one thread."""

SMALL_TURNED = 2**14
"""The same for a layer whose inputs lie as the last one left them: several are then done in one pass."""

FLOAT32 = np.dtype(np.float32)
WIDTH = lanes(FLOAT32.itemsize)
NO_BIAS = read_only(np.zeros(0, FLOAT32))


def product_of_layer(x: Array, weight: Array, bias: Array | None, epilogue: Epilogue) -> Array | None:
    """`linear` with an activation function at its end, where that is done while the results are at hand."""
    if x.ndim != 2 or weight.ndim != 2 or not suits_layer(x, weight):
        return None
    if bias is not None and (bias.dtype != FLOAT32 or bias.shape != weight.shape[:1]):
        return None
    if _dots.suits(weight, x) or _dots.suits(x, weight):
        return None
    return _by_panels(x, weight.T, NO_BIAS if bias is None else bias, epilogue)


def suits_layer(x: Array, weight: Array) -> bool:
    """Whether `product` is the way to multiply x (..., in) with the transpose of weight (out, in)."""
    return suits(x, weight.T, SMALL_TURNED if x.ndim == 2 and lies_by_columns(x) else None)


def suits(a: Array, b: Array, small: int | None = None) -> bool:
    """Whether a (..., k) times b (k, n) is a float32 product of more than `small` multiply-adds."""
    return (
        a.ndim >= 2
        and a.dtype == b.dtype == FLOAT32
        and a.shape[-1] == b.shape[0]
        and a.size * b.shape[1] > (SMALL if small is None else small)
    )


def product(a: Array, b: Array, bias: Array) -> Array:
    """a (m, k) times b (k, n) plus bias (n,).

    Where one of the two has only a few rows or columns, nothing is copied but these.
    """
    if _dots.suits(b.T, a):
        return _few(b.T, a, bias)
    if _dots.suits(a, b.T):
        return _few(a, b.T, bias[:, None]).T
    return _by_panels(a, b, bias, NOTHING)


def _by_panels(a: Array, b: Array, bias: Array, epilogue: Epilogue) -> Array:
    """a times b plus bias (n,), turned the way that is quicker.

    The kernel copies b, and that is slow where b's columns lie in memory one after the other.
    Then, if b is the larger of the two, or if a lies so too, the transposed product is computed:
    C' = B' A'.
    """
    if lies_by_columns(b) and (a.size < b.size or lies_by_columns(a)):
        return multiply(b.T, a.T, bias, True, epilogue).T
    return multiply(a, b, bias, False, epilogue)


def _few(rows: Array, columns: Array, start: Array) -> Array:
    """Rows (n, k) times a few columns (m, k), plus `start`, which may be empty: (m, n)."""
    y = np.empty((len(columns), len(rows)), FLOAT32)
    y[...] = start if start.size else 0
    use_threads(rows.size * len(columns))
    _dots.add_dots(rows, np.ascontiguousarray(columns), y)
    return y


def lies_by_columns(x: Array) -> bool:
    """Whether the columns of x, and not its rows, are runs of memory."""
    return bool(abs(x.strides[0]) < abs(x.strides[1]))


def multiply(a: Array, b: Array, bias: Array, by_row: bool, epilogue: Epilogue = NOTHING) -> Array:
    """a times b plus bias, which has a number per column of the product, or per row."""
    a, b, bias = _in_steps(a), _in_steps(b), _in_steps(bias)
    (m, k), n = a.shape, b.shape[1]
    threads = use_threads(m * n * k)
    row, out = row_table(m, n, a.strides[0] // a.itemsize, threads, WIDTH)
    c = aligned_empty((m, n), FLOAT32) if threads > 1 else np.empty((m, n), FLOAT32)
    gemm(FLOAT32)(a, b, bias, by_row, c, row, out, SEGMENT, WIDTH, *epilogue)
    return c


def _in_steps(x: Array) -> Array:
    """x, or a copy if its numbers do not lie whole numbers of places apart."""
    if x.strides[0] % x.itemsize == 0 == x.strides[-1] % x.itemsize and x.flags.aligned:
        return x
    return x.copy()
