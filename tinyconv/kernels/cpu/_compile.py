"""Compile a kernel once per dtype, when that dtype is first used, and keep it on disk."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numba
import numpy as np
from numba.core import types


def read_only(dtype: Any, ndim: int = 1) -> types.Array:
    """The type of an array that is only read; arrays that may be written are accepted too."""
    return types.Array(dtype, ndim, "C", readonly=True)


def written(dtype: Any, ndim: int = 1) -> types.Array:
    """The type of an array that is written."""
    return types.Array(dtype, ndim, "C")


def parallel_kernel(signature: Callable[[Any], Any]) -> Callable[[Any], Callable[[Any], Any]]:
    """Decorate a kernel; the result maps a NumPy dtype to the compiled function.

    `signature` gives the Numba signature for a number type. With a fixed signature there is
    one specialisation per dtype, whatever mixture of read-only and writable arrays comes.
    """

    def decorate(function: Any) -> Callable[[Any], Any]:
        @lru_cache(maxsize=None)
        def compiled(dtype: np.dtype[Any]) -> Any:
            number = numba.from_dtype(dtype)
            return numba.njit([signature(number)], parallel=True, nogil=True, cache=True)(function)

        return compiled

    return decorate
