"""Many arrays in one launch: the table that `optim.cu` takes among its arguments."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from tinyconv.kernels.cuda._launch import C_TYPES, THREADS_PER_BLOCK, dense, in_order_of, kernel

Array = Any
Row = tuple[Array, ...]

MOST, COLUMNS, CHUNK = 77, 5, 4096
"""As in optim.cu: arrays of a launch, columns of the table, numbers that a block takes."""

TABLE = np.dtype(
    [("address", np.uint64, (COLUMNS, MOST)), ("size", np.int64, MOST), ("first", np.int32, MOST + 1)],
    align=True,
)


def is_plain(param: Array, *averages: Array) -> bool:
    """Whether one walk over memory updates all of them, in place."""
    return str(param.dtype) in C_TYPES and all(
        array.dtype == param.dtype and array.strides == param.strides and dense(array) is array
        for array in (param, *averages)
    )


def launch_rows(
    name: str, rows: Sequence[Row], numbers: tuple[float, ...], flags: tuple[bool, ...] = ()
) -> None:
    """Run a kernel over rows (param, gradient, averages or None) that are plain: one launch, or several.

    A table has the addresses of one card: those of each get launches of their own, on it.
    """
    for device, ctype, alike in _by_card_and_type(rows):
        number = alike[0][0].dtype.type
        args = (*map(number, numbers), *map(np.int32, flags))
        with device:
            function = kernel("optim.cu", f"{name}<{ctype}>")
            for start in range(0, len(alike), MOST):
                part = [(row[0], in_order_of(*row[:2]), *row[2:]) for row in alike[start : start + MOST]]
                table, blocks = table_of(part)
                function((blocks,), (THREADS_PER_BLOCK,), (table, *args))


def table_of(rows: Sequence[Row]) -> tuple[np.ndarray, int]:
    """The table of these arrays, and how many blocks it keeps busy."""
    table = np.zeros((), dtype=TABLE)
    for place, row in enumerate(rows):
        table["address"][: len(row), place] = [0 if array is None else array.data.ptr for array in row]
    sizes = [row[0].size for row in rows]
    table["size"][: len(rows)] = sizes
    ends = np.cumsum([-(-size // CHUNK) for size in sizes])
    table["first"][1 : len(rows) + 1] = ends
    table["first"][len(rows) + 1 :] = ends[-1]
    return table, int(ends[-1])


def _by_card_and_type(rows: Sequence[Row]) -> Iterator[tuple[Any, str, list[Row]]]:
    groups: dict[tuple[int, str], list[Row]] = {}
    for row in rows:
        if row[0].size and str(row[0].dtype) in C_TYPES:
            groups.setdefault((row[0].device.id, C_TYPES[str(row[0].dtype)]), []).append(row)
    for (_, ctype), alike in groups.items():
        yield alike[0][0].device, ctype, alike
