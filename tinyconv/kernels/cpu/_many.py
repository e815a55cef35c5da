"""Many arrays in one pass: a table of addresses, and chunks that the threads share.

A network has dozens of parameters, most of them small. A kernel call for each costs more than its
arithmetic, so an optimiser's step hands all of them over at once. Numba takes a list of arrays
only slowly; a table of the places where they begin is as good.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numba
import numpy as np
from numba.core import types
from numba.extending import intrinsic

from tinyconv.kernels.cpu.memory import read_only

Array = Any

CHUNK = 8192
"""Numbers in a chunk."""


def are_plain(arrays: Sequence[Array]) -> bool:
    """Whether all are float32, of one shape, and one block of memory in the same order."""
    first, *others = arrays
    if first.dtype != np.float32 or not all(a.dtype == np.float32 and a.shape == first.shape for a in others):
        return False
    if all(array.flags.c_contiguous for array in arrays):
        return True
    return first.flags.f_contiguous and all(a.flags.f_contiguous for a in others)


def addresses(columns: Sequence[Sequence[Array]]) -> Array:
    """Where each array begins: one row for each position, one column for each of `columns`."""
    rows = zip(*columns, strict=True)
    return np.array([[a.__array_interface__["data"][0] for a in row] for row in rows], dtype=np.int64)


@lru_cache(maxsize=64)
def chunks_of(sizes: tuple[int, ...]) -> Array:
    """For each chunk: the array it belongs to, its first element, and how many it has."""
    table = [
        (index, begin, min(CHUNK, size - begin))
        for index, size in enumerate(sizes)
        for begin in range(0, size, CHUNK)
    ]
    return read_only(np.array(table, dtype=np.int64).reshape(-1, 3))


def _float32_pointer(typingctx: Any, address: Any) -> Any:
    """An address as a pointer to float32."""
    signature = types.CPointer(types.float32)(types.int64)

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.inttoptr(args[0], context.get_value_type(signature.return_type))

    return signature, generate


float32_pointer: Any = intrinsic(_float32_pointer)


@numba.njit(forceinline=True)
def chunk_at(table: Array, row: int, column: int, begin: int, size: int) -> Array:
    """The `size` numbers from `begin` on of the array at ``table[row, column]``."""
    return numba.carray(float32_pointer(table[row, column] + 4 * begin), size)
