"""What was done to the rows of a PNG image before they were packed, undone.

Each row begins with the number of its filter: the bytes after it are differences to what the pixels left of
them, above them or both would suggest. Beyond the left and the upper border all pixels count as 0.

Source: Portable Network Graphics (PNG) Specification, third edition, W3C, section 9.
"""

from __future__ import annotations

from typing import Any

import numpy as np

Array = Any
Box = tuple[slice, slice]

NONE, SUB, UP, AVERAGE, PAETH = range(5)


def object_in(filtered: Array, length: int) -> tuple[Box, Array] | None:
    """The box (rows, columns) of a grey image that holds all its pixels but 0, and those in it.

    Parameters
    ----------
    filtered : array (H * length,)
        uint8, the rows: the filter of each, and the differences of its `length` - 1 pixels.
    length : int
        At least 2.

    Returns
    -------
    tuple, or None if there is no filter of such a number
        Of an image that is all 0, the box is empty.

    Examples
    --------
    >>> rows = np.array([[NONE, 0, 0, 0], [SUB, 0, 7, 1], [UP, 0, 2, 0]], np.uint8)
    >>> object_in(rows.ravel(), 4)
    ((slice(1, 3, None), slice(1, 3, None)), array([[7, 8],
           [9, 8]], dtype=uint8))
    """
    lines = filtered.reshape(-1, length)
    if lines[:, 0].max() > PAETH:
        return None
    pixels = lines[:, 1:].copy()
    above = np.zeros(length - 1, np.uint8)
    for kind, row in zip(lines[:, 0].tolist(), pixels, strict=True):
        _unfilter(kind, row, above)
        above = row
    box = _range(pixels.any(axis=1)), _range(pixels.any(axis=0))
    return box, pixels[box]


def _unfilter(kind: int, row: Array, above: Array) -> None:
    """Undo the filter of one row, in place."""
    if kind == SUB:
        np.add.accumulate(row, out=row)
    elif kind == UP:
        np.add(row, above, out=row)
    elif kind != NONE and (row.any() or above.any()):
        guess = _paeth if kind == PAETH else _average
        left = corner = 0
        for column, (difference, up) in enumerate(zip(row.tolist(), above.tolist(), strict=True)):
            left, corner = (difference + guess(left, up, corner)) % 256, up
            row[column] = left


def _average(left: int, up: int, corner: int) -> int:
    return (left + up) // 2


def _paeth(left: int, up: int, corner: int) -> int:
    """Whichever is nearest to left + up - corner; the first of those that are equally near."""
    return min((left, up, corner), key=lambda pixel: abs(left + up - corner - pixel))


def _range(used: Array) -> slice:
    """From the first to the last that is true."""
    places = np.flatnonzero(used)
    return slice(int(places[0]), int(places[-1]) + 1) if places.size else slice(0, 0)
