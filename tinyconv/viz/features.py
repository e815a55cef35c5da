"""What the channels of a layer answer: their maps in a grid."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from typing import Any

from tinyconv.errors import ArgumentError, ShapeError
from tinyconv.viz.images import to_rgb
from tinyconv.viz.style import GREY, diverging, largest_magnitude, new_figure, numbers, save_figure, style

Array = Any
Figure = Any


def feature_map_grid(
    maps: Any,
    columns: int | None = None,
    titles: Sequence[str] | None = None,
    path: str | os.PathLike[str] | None = None,
    shared_scale: bool = True,
    image: Any = None,
    size: float = 1.5,
) -> Figure:
    """Draw each channel as a small picture: white at 0, orange above, blue below.

    Parameters
    ----------
    maps : array (C, H, W) or (1, C, H, W)
    columns : int, optional
        Pictures per row; by default the grid is about twice as wide as high.
    titles : optional
        One per channel; by default its number.
    path : optional
        Where to save the figure (.png, .pdf, .svg).
    shared_scale : bool
        Whether equal colours mean equal numbers in all pictures.
    image : optional
        The input, drawn first; see `tinyconv.viz.images.to_rgb`.
    size : float
        Width of a picture in inches.

    Returns
    -------
    figure : matplotlib.figure.Figure

    Raises
    ------
    ShapeError
        When `maps` has another shape or is empty, or `titles` another length.
    ArgumentError
        When `columns` is below 1.
    """
    values = numbers("feature_map_grid", "maps", maps)
    if values.ndim == 4 and values.shape[0] == 1:
        values = values[0]
    if values.ndim != 3 or values.size == 0:
        raise ShapeError("feature_map_grid", "maps", values.shape, "(C, H, W) or (1, C, H, W), not empty")
    count = len(values)
    if columns is not None and columns < 1:
        raise ArgumentError("feature_map_grid", "columns", columns, "an int, at least 1")
    names = [str(channel) for channel in range(count)] if titles is None else list(titles)
    if len(names) != count:
        raise ShapeError("feature_map_grid", "titles", f"of length {len(names)}", f"{count}, one per channel")
    first = int(image is not None)
    columns = min(count + first, columns or math.ceil(math.sqrt(2 * (count + first))))
    rows = math.ceil((count + first) / columns)
    shown = [*values] if image is None else [to_rgb(image, where="feature_map_grid"), *values]
    high = size * max(picture.shape[0] / picture.shape[1] for picture in shown)
    with style():
        figure = new_figure(max(3.0, size * columns + 1.2), max(2.2, (high + 0.25) * rows))
        axes = list(figure.subplots(rows, columns, squeeze=False).flat)
        limit, font = largest_magnitude(values), max(12.0, 4.5 * size)
        if first:
            axes[0].imshow(shown[0])
            axes[0].set_title("image", fontsize=font, color=GREY)
        for axis, picture, name in zip(axes[first:], values, names, strict=False):
            bound = limit if shared_scale else largest_magnitude(picture)
            drawn = axis.imshow(picture, cmap=diverging(), vmin=-bound, vmax=bound)
            axis.set_title(name, fontsize=font, color=GREY)
        for axis in axes:
            axis.set(xticks=[], yticks=[])
            axis.grid(False)
            axis.spines[:].set_visible(axis.has_data())
        if shared_scale:
            bar = figure.colorbar(drawn, ax=axes, shrink=0.8)
            if values.min() >= 0 or values.max() <= 0:  # no colours for numbers that there are not
                bar.ax.set_ylim(sorted((0, limit if values.min() >= 0 else -limit)))
        if path is not None:
            save_figure(figure, path)
    return figure
