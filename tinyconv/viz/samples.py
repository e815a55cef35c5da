"""Many images of one size as one picture: samples of a generator, or what a change of its code does."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from tinyconv.errors import ArgumentError, ShapeError
from tinyconv.viz.images import to_rgb
from tinyconv.viz.style import GREY, new_figure, numbers, save_figure, style

Array = Any
Figure = Any

GAP = 1
"""Pixels of white between two images."""


def tile_images(images: Any, columns: int, low: float = 0.0, high: float = 1.0) -> Array:
    """Put images side by side, row by row, with a white pixel between them.

    Parameters
    ----------
    images : array (N, C, H, W), C = 1 or 3
    columns : int
        Images per row; the last row is filled up with white.
    low, high : float
        What is black and what is white; what is beyond is cut off.

    Returns
    -------
    picture : uint8 array (height, width, 3)

    Raises
    ------
    ShapeError, DtypeError, ArgumentError
        When the arguments are not such.

    Examples
    --------
    >>> tile_images([[[[1.0]]], [[[0.0]]], [[[0.5]]]], columns=2)[:, :, 0].tolist()
    [[255, 255, 0], [255, 255, 255], [128, 255, 255]]
    """
    values = numbers("tile_images", "images", images)
    if values.ndim != 4 or values.shape[1] not in (1, 3) or values.size == 0:
        raise ShapeError("tile_images", "images", values.shape, "(N, C, H, W) with C = 1 or 3, not empty")
    if isinstance(columns, bool) or not isinstance(columns, int) or columns < 1:
        raise ArgumentError("tile_images", "columns", repr(columns), "an int, at least 1")
    if not low < high:
        raise ArgumentError("tile_images", "low", low, f"a number below high = {high}")
    n, _, height, width = values.shape
    rows, columns = math.ceil(n / columns), min(columns, n)
    picture = np.full((rows * (height + GAP) - GAP, columns * (width + GAP) - GAP, 3), 255, np.uint8)
    for index, image in enumerate((values - low) / (high - low)):
        top, left = (index // columns) * (height + GAP), (index % columns) * (width + GAP)
        picture[top : top + height, left : left + width] = to_rgb(image, stretch=False, where="tile_images")
    return picture


def sample_grid(
    images: Any,
    columns: int | None = None,
    low: float = 0.0,
    high: float = 1.0,
    rows: Sequence[str] | None = None,
    title: str = "",
    path: str | os.PathLike[str] | None = None,
    size: float = 0.8,
) -> Figure:
    """Draw images in a grid: what a generator makes, or one row per change of its code.

    Parameters
    ----------
    images : array (N, C, H, W), C = 1 or 3
        E.g. ``model.sample(64).numpy()``.
    columns : int, optional
        Images per row; by default as many as rows.
    low, high : float
        What is black and what is white: -1 and 1 for DCGAN, 0 and 1 for autoencoders.
    rows : sequence of str, optional
        A name for each row, e.g. the number of the code that changes along it.
    title : str
    path : optional
        Where to save the figure (.png, .pdf, .svg).
    size : float
        Width of an image in inches.

    Returns
    -------
    figure : matplotlib.figure.Figure

    Raises
    ------
    ShapeError
        When `images` has another shape or is empty, or `rows` is of another length.
    ArgumentError
        When `columns` is below 1, or `low` not below `high`.
    """
    if columns is None:
        columns = math.ceil(math.sqrt(max(np.shape(images)[:1], default=1)))
    picture = tile_images(images, columns, low, high)
    count, height = np.shape(images)[0], np.shape(images)[2]
    columns = min(columns, count)
    number = math.ceil(count / columns)
    if rows is not None and len(rows) != number:
        raise ShapeError("sample_grid", "rows", f"of length {len(rows)}", f"{number}, one per row")
    with style():
        high_over_wide = picture.shape[0] / picture.shape[1]
        figure = new_figure(size * columns + 0.8, size * columns * high_over_wide + 0.6)
        axis = figure.subplots()
        axis.imshow(picture)
        axis.set_title(title)
        middles = [] if rows is None else [row * (height + GAP) + (height - 1) / 2 for row in range(number)]
        axis.set_yticks(middles, list(rows or ()), color=GREY)
        axis.set_xticks([])
        axis.tick_params(length=0)
        axis.grid(False)
        axis.spines[:].set_visible(False)
        if path is not None:
            save_figure(figure, path)
    return figure
