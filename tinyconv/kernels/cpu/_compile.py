"""Compile a kernel once per dtype, when that dtype is first used, and keep it on disk.

Numba keeps compiled functions beside the source and compiles again when the function's own file
changes. These kernels are made of pieces from several files, so here they are compiled again
when any file of this folder changes.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numba
import numpy as np
from numba import types

from tinyconv.kernels.cpu.memory import Memory
from tinyconv.kernels.cpu.turns import in_turn


def read_only(dtype: Any, ndim: int = 1) -> types.Array:
    """The type of an array that is only read; arrays that may be written are accepted too."""
    return types.Array(dtype, ndim, "C", readonly=True)


def written(dtype: Any, ndim: int = 1) -> types.Array:
    """The type of an array that is written."""
    return types.Array(dtype, ndim, "C")


def integers(record: Any) -> Any:
    """The type of a NamedTuple of ints."""
    return types.NamedUniTuple(types.int64, len(record._fields), record)


def memory(dtype: Any, ndim: int) -> Any:
    """The type of the `Memory` of an array with `ndim` axes."""
    return types.NamedTuple([read_only(dtype), types.int64, types.UniTuple(types.int64, ndim)], Memory)


def parallel_kernel(signature: Callable[[Any], Any]) -> Callable[[Any], Callable[[Any], Any]]:
    """Decorate a kernel; the result maps a NumPy dtype to the compiled function.

    `signature` gives the Numba signature for a number type. With a fixed signature there is
    one specialisation per dtype, whatever mixture of read-only and writable arrays comes.
    """

    def decorate(function: Any) -> Callable[[Any], Any]:
        @cache
        def compiled(dtype: np.dtype[Any]) -> Any:
            kernel = kept_on_disk(function, parallel=True, nogil=True)
            kernel.compile(signature(numba.from_dtype(dtype)))
            kernel.disable_compile()
            return kernel

        return compiled

    return decorate


def kept_on_disk(function: Any, **options: Any) -> Any:
    """`function` compiled by Numba and kept on disk, until any file of this folder changes.

    Where there is no folder to keep it in (read-only packages and home), it is compiled anew
    in each process.
    """
    try:
        kernel = numba.njit(cache=True, **options)(function)
        file = getattr(kernel._cache, "_cache_file", None)
        if file is not None:
            file._source_stamp = _folder_stamp()
    except RuntimeError:
        _warn_that_nothing_is_kept()
        kernel = numba.njit(**options)(function)
    return in_turn(kernel) if options.get("parallel") else kernel


@cache
def _warn_that_nothing_is_kept() -> None:
    reason = "there is no writable folder for compiled kernels: each start takes up to a minute longer"
    warnings.warn(f"{reason} (NUMBA_CACHE_DIR can name one)", UserWarning, stacklevel=2)


@cache
def _folder_stamp() -> tuple[float, int]:
    """Time of the last change, and total size, of the files in this folder."""
    files = [path.stat() for path in Path(__file__).parent.glob("*.py")]
    return max(file.st_mtime for file in files), sum(file.st_size for file in files)
