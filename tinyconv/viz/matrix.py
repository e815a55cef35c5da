"""Matrices drawn as a teacher draws them: a grid of cells with a number in each."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from tinyconv.errors import ShapeError
from tinyconv.viz.style import (
    GREEN,
    GREY,
    PALE,
    diverging,
    largest_magnitude,
    new_figure,
    numbers,
    save_figure,
    style,
    text_on,
)

Array = Any
Figure = Any
Cell = tuple[int, int]

TITLE = 0.34
"""Size of a title, in cells."""
_OVERHANG = 0.8  # how far a title may reach beyond its matrix, left and right together, in cells
_LABEL_WIDTH = 0.92  # of a cell, for the widest number of a matrix
_MINUS = "\N{MINUS SIGN}"
_EMS = {"0": 0.64, _MINUS: 0.84, ".": 0.32}  # widths of DejaVu Sans


def format_number(value: float) -> str:
    """Write a number as a slide does: four digits at most, no trailing zeros, a real minus sign.

    Examples
    --------
    >>> format_number(217.50000000001), format_number(0.2), format_number(-0.0)
    ('217.5', '0.2', '0')
    """
    magnitude = abs(value)
    if magnitude < 1000 or not math.isfinite(value):
        text = f"{value + 0.0:.4g}"
    elif magnitude < 1e6:
        text = f"{value:.1f}".removesuffix(".0")
    else:
        text = f"{value:.2e}"
    return text.replace("-", _MINUS)


def label_width(values: Array) -> float:
    """Estimate how wide the widest number of `values` will be, in units of its font size."""
    return max(_text_width(format_number(float(value))) for value in values.flat)


def _text_width(text: str) -> float:
    return sum(_EMS.get(character, _EMS["0"]) for character in text)


class MatrixArtist:
    """One matrix on an axes whose unit is a cell and whose vertical axis points down.

    Parameters
    ----------
    axis : matplotlib Axes
    values : array (rows, columns)
    left, top : float
        Where its first cell begins.
    title : str
        Written above it.
    cell_points : float
        How large a cell will be, in points; sets the size of the numbers.
    grey : bool
        Colour the cells like a grey image, 0 dark and the largest white; otherwise by sign, blue below zero.
    """

    def __init__(
        self, axis: Any, values: Array, left: float, top: float, title: str, cell_points: float, grey: bool
    ) -> None:
        from matplotlib.patches import Rectangle

        self.values = values
        self.left, self.top = left, top
        self.rows, self.columns = values.shape
        self._colours = _cell_colours(values, grey)
        size = font_size(values, cell_points)
        self.title = axis.text(
            left + self.columns / 2, top - 0.22, title, ha="center", va="bottom", fontsize=TITLE * cell_points
        )
        self.texts: dict[Cell, Any] = {}
        self._patches: dict[Cell, Any] = {}
        for cell in np.ndindex(values.shape):
            corner = (left + cell[1], top + cell[0])
            patch = Rectangle(corner, 1, 1, facecolor=PALE, edgecolor="#9A9A9A", linewidth=1.0)
            self._patches[cell] = axis.add_patch(patch)
            centre = (corner[0] + 0.5, corner[1] + 0.52)
            self.texts[cell] = axis.text(*centre, "", ha="center", va="center", fontsize=size)
        frame = Rectangle((left, top), 1, 1, fill=False, edgecolor=GREEN, linewidth=5, zorder=5)
        self._frame = axis.add_patch(frame)
        self.frame(None)

    def show(self, cell: Cell) -> None:
        """Write the number of `cell` and colour it."""
        colour = self._colours[cell]
        self._patches[cell].set_facecolor(colour)
        self.texts[cell].set_color(text_on(colour))
        self.texts[cell].set_text(format_number(float(self.values[cell])))

    def show_first(self, count: int) -> None:
        """Show the first `count` cells in reading order and blank the others."""
        for number, cell in enumerate(np.ndindex(self.values.shape)):
            if number < count:
                self.show(cell)
            else:
                self._patches[cell].set_facecolor(PALE)
                self.texts[cell].set_text("")

    def fade(self, cell: Cell) -> None:
        """Show `cell` as padding: no shade, a dotted edge, a grey number."""
        self.show(cell)
        self._patches[cell].set(facecolor="white", linestyle=":")
        self.texts[cell].set_color(GREY)

    def change(self, values: Array) -> None:
        """Put other values of the same shape in place and show them all."""
        self.values = values
        self._colours = _cell_colours(values, grey=False)
        self.show_first(values.size)

    def frame(self, corner: Cell | None, rows: int = 1, columns: int = 1) -> None:
        """Put the thick frame around rows x columns cells from `corner` on; None takes it away."""
        self._frame.set_visible(corner is not None)
        if corner is not None:
            self._frame.set_bounds(self.left + corner[1], self.top + corner[0], columns, rows)


def matrix_figure(
    matrices: Sequence[Any] | Array,
    titles: Sequence[str] | str = "",
    path: str | os.PathLike[str] | None = None,
    grey: Sequence[bool] | bool = False,
) -> Figure:
    """Draw matrices side by side, a number in each cell.

    Parameters
    ----------
    matrices : array (H, W) or (W,), or a list of such
    titles : str or list of str
        One per matrix.
    path : optional
        Where to save the figure (.png, .pdf, .svg).
    grey : bool or list of bool
        Colour the cells like a grey image instead of by sign.

    Returns
    -------
    figure : matplotlib.figure.Figure

    Raises
    ------
    ShapeError
        When a matrix is not one, or the lists differ in length.

    Examples
    --------
    >>> figure = matrix_figure([[104, 217.5], [224, 52.5]], "after max pooling")
    >>> [text.get_text() for text in figure.axes[0].texts]
    ['after max pooling', '104', '217.5', '224', '52.5']
    """
    single = not isinstance(matrices, list | tuple) or np.ndim(matrices[0]) == 0 or isinstance(titles, str)
    planes = [_plane(matrix) for matrix in ([matrices] if single else matrices)]
    names = [titles] if isinstance(titles, str) else list(titles)
    greys = [grey] * len(planes) if isinstance(grey, bool) else list(grey)
    for argument, given in (("titles", names), ("grey", greys)):
        if len(given) != len(planes):
            raise ShapeError("matrix_figure", argument, f"of length {len(given)}", f"{len(planes)}, one each")
    height = max(plane.shape[0] for plane in planes)
    gap = 1.0
    slots = [
        max(plane.shape[1], _title_width(name) - _OVERHANG) for plane, name in zip(planes, names, strict=True)
    ]
    width = sum(slots) + gap * (len(planes) - 1)
    with style():
        cell = min(0.75, 16.0 / (width + 1), 9.0 / (height + 1.5))
        figure, axis = cell_canvas(width, height, cell)
        left = 0.0
        for plane, name, shaded, slot in zip(planes, names, greys, slots, strict=True):
            top, side = (height - plane.shape[0]) / 2, (slot - plane.shape[1]) / 2
            artist = MatrixArtist(axis, plane, left + side, top, name, cell * 72, shaded)
            artist.show_first(plane.size)
            left += slot + gap
        if path is not None:
            save_figure(figure, path)
    return figure


def _title_width(title: str) -> float:
    """How wide a title will be, in cells."""
    from matplotlib.textpath import TextPath

    return float(TextPath((0, 0), title, size=TITLE).get_extents().width) if title.strip() else 0.0


def cell_canvas(width: float, height: float, cell: float, titles: float = 0.4) -> tuple[Figure, Any]:
    """Make a figure whose one axes has cells as units: `cell` inches each, the origin top left.

    A margin of half a cell lies around, and `titles` cells more above.
    """
    figure = new_figure((width + 1) * cell, (height + 1 + titles) * cell, layout=None)
    axis = figure.add_axes((0, 0, 1, 1))
    axis.set_axis_off()
    axis.set(xlim=(-0.5, width + 0.5), ylim=(height + 0.5, -0.5 - titles))
    return figure, axis


def font_size(values: Array, cell_points: float) -> float:
    """Choose the size at which the widest number of `values` fits its cell."""
    return min(0.42 * cell_points, _LABEL_WIDTH * cell_points / label_width(values))


def _plane(matrix: Any) -> Array:
    plane = np.atleast_2d(numbers("matrix_figure", "matrices", matrix))
    if plane.ndim != 2 or plane.size == 0:
        raise ShapeError(
            "matrix_figure", "matrices", np.shape(matrix), "matrices (H, W) with at least one cell"
        )
    return plane


def _cell_colours(values: Array, grey: bool) -> Array:
    """Colour of each cell, (rows, columns, 4): pale enough for the number on it to be read."""
    finite = np.nan_to_num(values, nan=0.0, posinf=0.0, neginf=0.0)
    if not grey:
        return diverging()(0.5 + 0.3 * finite / largest_magnitude(finite))
    low, high = min(0.0, float(finite.min())), float(finite.max())
    shade = (finite - low) / (high - low) if high > low else np.ones_like(finite)
    shade = 0.25 + 0.75 * shade
    return np.stack([shade, shade, shade, np.ones_like(shade)], axis=-1)
