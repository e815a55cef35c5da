"""Values as text for a terminal; the wrong elements of an array stand between > and <."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
MOST = 10
SLICES = 3
LONGEST = 300


def value_text(value: Any) -> str:
    """A number, text, list or dict on one line, cut short where it is long; an array on several."""
    if isinstance(value, np.ndarray) and value.ndim:
        return "\n".join(array_lines(value))
    if isinstance(value, tuple | list) and any(isinstance(v, np.ndarray) and v.ndim for v in value):
        return "\n".join(f"element {n}:\n{value_text(item)}" for n, item in enumerate(value))
    if isinstance(value, dict) and any(isinstance(v, np.ndarray) for v in value.values()):
        return "".join(f"\n    {key}: {_one_line(item)}" for key, item in value.items())
    if isinstance(value, np.ndarray | np.generic):
        value = value.item() if value.size == 1 else value.tolist()
    text = f"{value:.8g}" if isinstance(value, float) else repr(value)
    return text if len(text) <= LONGEST else text[:LONGEST] + " …"


def _one_line(value: Any) -> str:
    """An array's shape and first numbers."""
    if not isinstance(value, np.ndarray) or not value.ndim or value.dtype.kind not in "iuf":
        return value_text(value)
    first = " ".join(f"{number:.6g}" for number in value.ravel()[:MOST])
    return f"shape {value.shape}: {first}" + (" …" if value.size > MOST else "")


def array_lines(values: Array, wrong: Array | None = None, marked: bool = True) -> Iterator[str]:
    """The lines of an array; of one with more than two axes, the slices that have wrong elements first.

    Without `marked` the same lines, but for the marks: what is right, to stand below what is not.

    Examples
    --------
    >>> wrong = np.array([[False, True], [False, False]])
    >>> list(array_lines(np.array([[1.0, 2.5], [-3.0, 4.0]]), wrong))
    ['    1  >2.5<', '   -3     4']
    """
    if values.size == 0:
        yield f"  (no elements: shape {values.shape})"
        return
    marks = np.zeros(values.shape, bool) if wrong is None else wrong
    if values.ndim < 3:
        yield from _matrix_lines(np.atleast_2d(values), np.atleast_2d(marks), marked)
        return
    places = sorted(np.ndindex(values.shape[:-2]), key=lambda place: not marks[place].any())
    for place in places[:SLICES]:
        yield f"  [{', '.join(map(str, place))}, :, :]"
        yield from _matrix_lines(values[place], marks[place], marked)
    if len(places) > SLICES:
        yield f"  … {len(places) - SLICES} more slices"


def _matrix_lines(values: Array, marks: Array, marked: bool) -> Iterator[str]:
    rows, columns = (_shown(marks, axis) for axis in (0, 1))
    cells = [[_cell(values[i, j], marked and bool(marks[i, j])) for j in columns] for i in rows]
    width = max(len(cell) for row in cells for cell in row)
    more = " …" if len(columns) < values.shape[1] else ""
    for row in cells:
        yield (" " + " ".join(cell.rjust(width) for cell in row) + more).rstrip()
    if len(rows) < values.shape[0]:
        yield "  …"


def _shown(marks: Array, axis: int) -> range:
    """The rows (or columns) to show: the first ones, or those around the first that is marked."""
    size = marks.shape[axis]
    marked = np.flatnonzero(marks.any(1 - axis))
    first = int(marked[0]) if len(marked) else 0
    start = max(0, min(first - 1, size - MOST))
    return range(start, min(size, start + MOST))


def _cell(value: Any, marked: bool) -> str:
    text = str(value) if isinstance(value, np.bool_ | np.integer) else f"{value:.5g}"
    return f">{text}<" if marked else f" {text} "
