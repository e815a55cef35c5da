"""Launches kernels that walk along rows of memory, see `rows.cuh`."""

from __future__ import annotations

from typing import Any

THREADS = 256
MOST_BLOCKS = 65535
"""CUDA's limit of the grid's second dimension."""


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
