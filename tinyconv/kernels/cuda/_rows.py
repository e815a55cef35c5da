"""Launches kernels that walk along rows of memory, see `rows.cuh`."""

from __future__ import annotations

from typing import Any

Array = Any

THREADS = 256
MOST_BLOCKS = 65535
"""CUDA's limit of the grid's second dimension."""


PACK = 16
"""So many bytes one instruction loads or stores, from addresses that are a multiple of it."""


def lanes_of(arrays: tuple[Array, ...], *lengths: int) -> int:
    """How many neighbours a thread takes at a time: what fits into 16 bytes if all lies well for it, else 1.

    The first of the arrays has the dtype; the lengths are of what must not be torn apart.
    """
    lanes = PACK // arrays[0].dtype.itemsize
    is_whole = all(length % lanes == 0 for length in lengths)
    return lanes if is_whole and all(array.data.ptr % PACK == 0 for array in arrays) else 1


def launch_rows(function: Any, rows: int, length: int, args: tuple[Any, ...]) -> None:
    """Call the kernel with threads for `rows` rows of `length` numbers; nothing where there are none.

    A block has 256 threads: of one row, or of several rows where these are short.
    """
    if not rows * length:
        return
    across = min(THREADS, 1 << (length - 1).bit_length())
    down = THREADS // across
    grid = (-(-length // across), min(-(-rows // down), MOST_BLOCKS))
    function(grid, (across, down), args)
