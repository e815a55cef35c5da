"""What a classifier does: which class it takes for which, and images with what it says of them."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from tinyconv.errors import ShapeError
from tinyconv.viz.images import to_rgb
from tinyconv.viz.style import BLUE, new_figure, numbers, save_figure, style, text_on

Array = Any
Figure = Any

NUMBERED = 15
"""Up to so many classes the numbers are written into the confusion matrix."""


def plot_confusion(matrix: Any, classes: Sequence[str], path: str | os.PathLike[str] | None = None) -> Figure:
    """Draw a confusion matrix: a row for each true class, a column for each answer.

    The darkness of a cell is its share of the row; the number in it is the count.

    Parameters
    ----------
    matrix : array (C, C)
        Counts, as of `metrics.confusion_matrix`.
    classes : sequence of str
    path : optional
        Where to save the figure (.png, .pdf, .svg).

    Returns
    -------
    figure : matplotlib.figure.Figure

    Raises
    ------
    ShapeError
        When the matrix is not (C, C) for C names.
    """
    from matplotlib.colors import LinearSegmentedColormap

    counts = numbers("plot_confusion", "matrix", matrix)
    if counts.shape != (len(classes), len(classes)) or not counts.size:
        expected = f"({len(classes)}, {len(classes)}), a row and a column for each class"
        raise ShapeError("plot_confusion", "matrix", counts.shape, expected)
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    side = max(5.0, min(0.55 * len(classes) + 2.5, 14.0))
    with style():
        figure = new_figure(side + 1, side)
        axis = figure.subplots()
        blues = LinearSegmentedColormap.from_list("share", ["#FFFFFF", BLUE])
        image = axis.imshow(share, cmap=blues, vmin=0, vmax=1)
        figure.colorbar(image, ax=axis, label="share of the class", shrink=0.8)
        places = np.arange(len(classes))
        short = max(len(name) for name in classes) <= 3
        turned = {} if short else {"rotation": 60, "ha": "right", "rotation_mode": "anchor"}
        axis.set_xticks(places, classes, **turned)
        axis.set_yticks(places, classes)
        axis.set_xlabel("answer")
        axis.set_ylabel("class")
        axis.grid(False)
        if len(classes) <= NUMBERED:
            size = float(np.clip(0.2 * 72 * side / len(classes), 10, 18))  # points, about a third of a cell
            for row, column in np.argwhere(counts > 0):
                colour = text_on(blues(share[row, column]))
                text = f"{counts[row, column]:.0f}"
                axis.text(column, row, text, ha="center", va="center", color=colour, fontsize=size)
        if path is not None:
            save_figure(figure, path)
    return figure


def _title_points(titles: Sequence[str], columns: int, size: float) -> float:
    """Type that is large enough where the figure is as wide as a page, if the longest title has room."""
    longest = max(1, *map(len, titles))
    fitting = 0.95 * 72 * size / (0.6 * longest)
    return max(10.0, min(fitting, 24.0, max(4.5, 1.3 * columns) * size))


def titled_images(
    images: Sequence[Any],
    titles: Sequence[str],
    path: str | os.PathLike[str] | None = None,
    columns: int = 6,
    size: float = 2.1,
) -> Figure:
    """Draw images in rows, a line of text over each.

    Parameters
    ----------
    images : sequence of arrays (C, H, W), C = 1 or 3
        From 0 to 1, or bytes as of `overlay` and `label_image`; they may differ in size.
    titles : sequence of str
        Over a row of which all are empty, no room is left.
    path : optional
        Where to save the figure (.png, .pdf, .svg).
    columns : int
    size : float
        Width of an image in inches.

    Returns
    -------
    figure : matplotlib.figure.Figure

    Raises
    ------
    ShapeError
        When there is no image, or not a title for each.
    """
    if not len(images) or len(images) != len(titles):
        expected = f"{len(images)}, one for each image, and at least one"
        raise ShapeError("titled_images", "titles", f"of length {len(titles)}", expected)
    rows, columns = math.ceil(len(images) / columns), min(columns, len(images))
    with style():
        named = sum(any(titles[start : start + columns]) for start in range(0, len(titles), columns))
        points = _title_points(titles, columns, size)
        figure = new_figure(size * columns, (size + 0.05) * rows + (0.08 + 1.3 * points / 72) * named)
        axes = figure.subplots(rows, columns, squeeze=False).ravel()
        for axis, image, title in zip(axes, images, titles, strict=False):
            shown = image if np.asarray(image).dtype == np.uint8 else np.clip(image, 0, 1)
            axis.imshow(to_rgb(shown, stretch=False, where="titled_images"))
            axis.set_title(title, fontsize=points)
        for axis in axes:
            axis.set_axis_off()
        if path is not None:
            save_figure(figure, path)
    return figure
