"""Pictures in mosaic: the mean colours of a coarse grid. A font hardly changes them, a wrong colour does."""

from __future__ import annotations

from typing import Any

import numpy as np

WHITE = "."


def mosaic(pixels: Any, rows: int = 24, columns: int = 32) -> Any:
    """Mean colours (rows, columns, 3) of a picture (height, width, 3), from 0 to 255."""
    picture = np.asarray(pixels, np.float64)
    for axis, count in enumerate((rows, columns)):
        ends = np.arange(count + 1) * picture.shape[axis] // count
        sums = np.add.reduceat(picture, ends[:-1], axis)
        picture = sums / np.diff(ends).reshape([-1 if k == axis else 1 for k in range(3)])
    return picture


def written(grid: Any) -> list[str]:
    """A mosaic as a line for each row: three bytes in hexadecimal for each cell, a dot for white."""
    lines = [["".join(f"{round(value):02x}" for value in cell) for cell in row] for row in grid]
    return [" ".join(WHITE if cell == "ffffff" else cell for cell in line) for line in lines]


def read(lines: list[str]) -> Any:
    """The mosaic that `written` has written."""
    cells = [[cell.replace(WHITE, "ffffff") for cell in line.split()] for line in lines]
    return np.array([[list(bytes.fromhex(cell)) for cell in line] for line in cells], np.float64)


def distances(one: Any, other: Any) -> tuple[float, float]:
    """How far two mosaics are from each other in brightness and in colour: the largest in any cell, of 255.

    Text is without colour: another font, or another way to draw it, changes the brightness of its cells only.
    """
    difference = one - other
    brightness = difference.mean(2, keepdims=True)
    return float(abs(brightness).max()), float(abs(difference - brightness).max())
