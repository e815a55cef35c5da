"""Where an analytic gradient and a numeric one disagree."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from tinyconv.errors import ShapeError
from tinyconv.viz.style import (
    GREEN,
    diverging,
    largest_magnitude,
    new_figure,
    numbers,
    save_figure,
    style,
)

Array = Any
Figure = Any


def gradient_heatmap(analytic: Any, numeric: Any, path: str | os.PathLike[str] | None = None) -> Figure:
    """Draw the analytic gradient, the numeric one, and their difference, the worst element framed.

    Parameters
    ----------
    analytic, numeric : arrays of one shape
        A weight (A, B, H, W) is laid out as A x B tiles of (H, W).
    path : optional
        Where to save the figure (.png, .pdf, .svg).

    Returns
    -------
    figure : matplotlib.figure.Figure

    Raises
    ------
    ShapeError
        When the two differ in shape, or are empty.
    """
    first, second = (
        numbers("gradient_heatmap", name, values)
        for name, values in (("analytic", analytic), ("numeric", numeric))
    )
    if first.size == 0 or first.shape != second.shape:
        expected = f"analytic's shape {first.shape}, not empty"
        raise ShapeError("gradient_heatmap", "numeric", second.shape, expected)
    difference = first - second
    worst = worst_element(difference)
    positions = np.arange(first.size).reshape(first.shape)
    row, column = np.argwhere(tile(positions) == positions[worst])[0]
    scale = max(largest_magnitude(first), largest_magnitude(second))
    with style():
        figure = new_figure(14.0, 4.9)
        axes = figure.subplots(1, 3)
        panels = (
            ("analytic", first, scale),
            ("numeric", second, scale),
            ("analytic − numeric", difference, largest_magnitude(difference)),
        )
        for axis, (title, values, limit) in zip(axes, panels, strict=True):
            _draw_panel(figure, axis, title, values, limit)
            axis.add_patch(_frame(row, column))
        figure.suptitle(_sentence(worst, first[worst], second[worst]), fontsize=15)
        if path is not None:
            save_figure(figure, path)
    return figure


def worst_element(difference: Array) -> tuple[int, ...]:
    """Find the index of the largest magnitude; NaN counts as infinite.

    Examples
    --------
    >>> worst_element(np.array([[0.0, -3.0], [2.0, 0.0]]))
    (0, 1)
    """
    magnitude = np.nan_to_num(np.abs(difference), nan=np.inf, posinf=np.inf)
    return tuple(int(i) for i in np.unravel_index(int(np.argmax(magnitude)), magnitude.shape))


def tile(values: Array) -> Array:
    """Lay an array of any rank out as a plane: the last two axes are tiles, the others place them.

    Examples
    --------
    >>> tile(np.zeros((4, 3, 5, 5))).shape, tile(np.zeros(7)).shape
    ((20, 15), (1, 7))
    """
    if values.ndim < 3:
        return np.atleast_2d(values)
    height, width = values.shape[-2:]
    blocks = values.reshape(-1, values.shape[-3], height, width)
    return blocks.transpose(0, 2, 1, 3).reshape(blocks.shape[0] * height, blocks.shape[1] * width)


def _draw_panel(figure: Figure, axis: Any, title: str, values: Array, limit: float) -> None:
    plane = tile(values)
    picture = axis.imshow(plane, cmap=diverging(), vmin=-limit, vmax=limit, aspect="auto")
    axis.set(title=title, xticks=[], yticks=[])
    axis.grid(False)
    axis.spines[:].set_visible(True)
    if values.ndim > 2:
        height, width = values.shape[-2:]
        for edge in range(height, plane.shape[0], height):
            axis.axhline(edge - 0.5, color="#777777", linewidth=1.0)
        for edge in range(width, plane.shape[1], width):
            axis.axvline(edge - 0.5, color="#777777", linewidth=1.0)
    figure.colorbar(picture, ax=axis, shrink=0.9)


def _frame(row: int, column: int) -> Any:
    from matplotlib.patches import Rectangle

    return Rectangle((column - 0.5, row - 0.5), 1, 1, fill=False, edgecolor=GREEN, linewidth=3, zorder=4)


def _sentence(worst: tuple[int, ...], analytic: float, numeric: float) -> str:
    where = f"element {worst}" if worst else "the only element"
    return (
        f"worst: {where}, analytic {analytic:.6g}, numeric {numeric:.6g}, difference {analytic - numeric:.2g}"
    )
