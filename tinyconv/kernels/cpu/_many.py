"""Many arrays in one pass: a table of addresses, and chunks that the threads share.

A network has dozens of parameters, most of them small. A kernel call for each costs more than its
arithmetic, so an optimiser's step hands all of them over at once. Numba takes a list of arrays
only slowly; a table of the places where they begin is as good.
"""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from functools import lru_cache
from operator import is_
from typing import Any, NamedTuple

import numba
import numpy as np
from numba.core import types
from numba.extending import intrinsic

from tinyconv.kernels.cpu.memory import read_only

Array = Any

CHUNK = 8192
"""Numbers in a chunk."""
MOST_REMEMBERED = 64


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
    return np.array([list(map(_address, row)) for row in zip(*columns, strict=True)], dtype=np.int64)


def _address(array: Array) -> int:
    return int(array.__array_interface__["data"][0])


class StepTable(NamedTuple):
    """What a step of an optimiser hands over: `addresses`, `chunks_of`, and how many numbers there are."""

    addresses: Array
    chunks: Array
    size: int


GRADS = 1
"""The column that is new in each step."""

_remembered: dict[int, tuple[list[weakref.ref[Array]], list[tuple[int, ...]], StepTable]] = {}


def remember(columns: Sequence[Sequence[Array]]) -> StepTable:
    """The table of these plain arrays, for `recall` in the next step if all are in C order."""
    sizes = tuple([array.size for array in columns[0]])
    table = StepTable(addresses(columns), chunks_of(sizes), sum(sizes))
    if all(array.flags.c_contiguous for array in columns[0]):
        if len(_remembered) >= MOST_REMEMBERED:
            _remembered.clear()
        lasting = list(map(weakref.ref, _lasting(columns)))
        _remembered[id(columns[0][0])] = lasting, [array.shape for array in columns[0]], table
    return table


def recall(columns: Sequence[Sequence[Array]]) -> StepTable | None:
    """What `remember` returned for the same arrays with other gradients, now with these.

    None if one of the arrays is another one, or if a gradient is not in C order.
    """
    if not columns[0] or id(columns[0][0]) not in _remembered:
        return None
    lasting, shapes, table = _remembered[id(columns[0][0])]
    arrays = _lasting(columns)
    if len(arrays) != len(lasting) or not all(map(is_, arrays, [ref() for ref in lasting])):
        return None
    for grad, shape in zip(columns[GRADS], shapes, strict=True):
        if not grad.flags.c_contiguous or grad.shape != shape or grad.dtype != np.float32:
            return None
    table.addresses[:, GRADS] = list(map(_address, columns[GRADS]))
    return table


def _lasting(columns: Sequence[Sequence[Array]]) -> list[Array]:
    """The parameters and averages: everything but the gradients."""
    return [array for i, column in enumerate(columns) if i != GRADS for array in column]


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
