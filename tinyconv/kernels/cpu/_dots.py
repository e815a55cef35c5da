"""Products of a matrix with few columns: each row of it is read once, as fast as memory gives it.

A dense layer with one image is such a product. The micro-kernel would use one lane in sixteen, and copy
the weights. Here the rows are cut into pieces that stay in the first-level cache while they meet all
the columns. Each number is one sum in a fixed order: it does not depend on the number of threads.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from numba import prange

from tinyconv.kernels.cpu._compile import kept_on_disk

Array = Any

MOST = 6
"""Columns; with more of them the micro-kernel is faster."""

LEAST = 64
"""Numbers in a row: with fewer there is nothing to add up side by side."""

PIECE = 4096
REORDERED: dict[str, Any] = {"fastmath": {"contract", "reassoc"}, "error_model": "numpy"}
"""Sums may be taken in lanes, without which a loop cannot use vector instructions; NaN and inf stay."""


def suits(rows: Array, columns: Array) -> bool:
    """Whether this is the way to multiply rows (n, k) with columns (m, k)."""
    return len(columns) <= MOST and rows.shape[1] >= LEAST and rows.flags.c_contiguous


@numba.njit(forceinline=True, **REORDERED)
def _dot(row: Array, column: Array) -> Any:
    total = np.float32(0)
    for i in range(row.size):
        total += row[i] * column[i]
    return total


def _add(rows: Array, columns: Array, y: Array) -> None:
    """Add the products of all rows (n, k) with all columns (m, k) to y (m, n); all in C order."""
    size = rows.shape[1]
    for i in prange(rows.shape[0]):
        for first in range(0, size, PIECE):
            last = min(first + PIECE, size)
            for j in range(columns.shape[0]):
                y[j, i] += _dot(rows[i, first:last], columns[j, first:last])


add_dots = kept_on_disk(_add, parallel=True, nogil=True, **REORDERED)
