"""How the elementwise-like kernels are compiled.

A kernel is compiled when it is first called, once per machine: Numba keeps it beside the
source. Only the joining of a product and a sum into one instruction is allowed (`contract`):
the other liberties of fast mathematics would lose NaN and inf. Division by zero gives inf or
NaN, as NumPy has it: the check for Python's ZeroDivisionError would keep a loop from using
vector instructions.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
import numpy as np

from tinyconv.kernels.cpu._compile import kept_on_disk

ARITHMETIC: dict[str, Any] = {"fastmath": {"contract"}, "error_model": "numpy"}


def parallel(function: Callable[..., Any]) -> Any:
    """Compile a loop over a whole array, shared among the threads."""
    return kept_on_disk(function, parallel=True, nogil=True, **ARITHMETIC)


def alone(function: Callable[..., Any]) -> Any:
    """Compile a loop that is too short to be shared."""
    return kept_on_disk(function, nogil=True, **ARITHMETIC)


def inlined(function: Callable[..., Any]) -> Any:
    """Compile a piece of a loop: without a call in its body a loop can use vector instructions."""
    return numba.njit(forceinline=True, **ARITHMETIC)(function)


@numba.njit(forceinline=True, fastmath={"reassoc"})
def lane_sum(row: Any) -> Any:
    """The sum of a row, in as many lanes as a vector register has."""
    total = np.float32(0)
    for i in range(row.size):
        total += row[i]
    return total


@numba.njit(forceinline=True, fastmath={"reassoc"})
def lane_nothing(row: Any) -> Any:
    """The same of 0 times the row: 0, or NaN if a number of it is not finite."""
    total = np.float32(0)
    for i in range(row.size):
        total += row[i] * np.float32(0)
    return total
