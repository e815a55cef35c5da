"""The filters of PNG undone in the rows that hold something, without Python's lock.

A mask of one object is nearly all black: its empty rows are only looked at. So forty masks of an image
cost other threads, which may be loading kernels for the first step of a training, next to nothing.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyconv.kernels.cpu.options import alone, inlined
from tinyconv.kernels.reference.png import AVERAGE, PAETH, SUB, UP, Box

Array = Any


def object_in(filtered: Array, length: int) -> tuple[Box, Array] | None:
    """The box (rows, columns) of a grey image that holds all its pixels but 0, and those in it."""
    top, left, pixels = _object(filtered, length)
    if top < 0:
        return None
    height, width = pixels.shape
    return (slice(top, top + height), slice(left, left + width)), pixels


@inlined
def _is_blank(row: Array) -> Any:
    """Whether all are 0; without an early end, so that vector instructions can look at them."""
    used = np.uint8(0)
    for i in range(row.size):
        used = np.uint8(used | row[i])
    return used == 0


@alone
def _object(filtered: Array, length: int) -> tuple[int, int, Array]:
    """Where the box begins, and its pixels; a row of -1 for an unknown filter.

    The first column of `lines` and the row before its first one are the zeros beyond the borders.
    """
    begin, end = 0, filtered.size // length
    while begin < end and _is_blank(filtered[begin * length : (begin + 1) * length]):
        begin += 1
    while begin < end and _is_blank(filtered[(end - 1) * length : end * length]):
        end -= 1
    lines = np.zeros((1 + end - begin, length), np.uint8)
    used = np.zeros(length, np.uint8)
    for i in range(1, len(lines)):
        start = (begin + i - 1) * length
        kind = filtered[start]
        if kind > PAETH:
            return -1, 0, lines
        _unfilter(kind, filtered[start : start + length], lines[i - 1], lines[i])
        for c in range(1, length):
            used[c] |= lines[i, c]
    top, bottom, left, right = 1, len(lines), 1, length
    while top < bottom and _is_blank(lines[top]):
        top += 1
    while top < bottom and _is_blank(lines[bottom - 1]):
        bottom -= 1
    while left < right and used[left] == 0:
        left += 1
    while left < right and used[right - 1] == 0:
        right -= 1
    if top == bottom:
        return 0, 0, lines[:0, :0]
    return begin + top - 1, left - 1, lines[top:bottom, left:right]


@inlined
def _unfilter(kind: int, differences: Array, above: Array, row: Array) -> None:
    """Undo the filter of one row; the first byte is none of its pixels."""
    if kind == UP:
        for c in range(1, row.size):
            row[c] = differences[c] + above[c]
    elif kind == SUB:
        for c in range(1, row.size):
            row[c] = differences[c] + row[c - 1]
    elif kind == AVERAGE:
        for c in range(1, row.size):
            row[c] = differences[c] + (np.int64(row[c - 1]) + np.int64(above[c])) // 2
    elif kind == PAETH:
        for c in range(1, row.size):
            row[c] = differences[c] + _paeth(np.int64(row[c - 1]), np.int64(above[c]), np.int64(above[c - 1]))
    else:
        row[1:] = differences[1:]


@inlined
def _paeth(left: int, up: int, corner: int) -> int:
    from_left, from_up, from_corner = abs(up - corner), abs(left - corner), abs(left + up - 2 * corner)
    if from_left <= from_up and from_left <= from_corner:
        return left
    return up if from_up <= from_corner else corner
