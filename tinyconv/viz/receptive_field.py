"""Receptive fields over the image: frames around what single numbers of feature maps see."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tinyconv.errors import ArgumentError, ShapeError
from tinyconv.nn import Module, summary
from tinyconv.viz.images import to_rgb
from tinyconv.viz.style import (
    BLACK,
    GREEN,
    ORANGE,
    PALE,
    PURPLE,
    SKY_BLUE,
    VERMILLION,
    YELLOW,
    new_figure,
    save_figure,
    style,
)

Array = Any
Figure = Any

FRAMES = (YELLOW, SKY_BLUE, ORANGE, PURPLE, GREEN, VERMILLION)
"""Colours that are seen on a dark image too; each has a black rim for bright ones."""


def plot_receptive_field(
    model: Module,
    image: Array,
    places: Mapping[str, Sequence[int] | None] | None = None,
    picture: Array | None = None,
    path: str | os.PathLike[str] | None = None,
) -> Figure:
    """Frame the pixels that single elements of a model's maps can depend on.

    What reaches over the image's edge is padding: zeros that a layer has put around its input.

    Parameters
    ----------
    model : Module
    image : array (C, H, W)
        What the model takes.
    places : dict, optional
        Name of a layer, as in `nn.summary` -> (row, column) in the map that it makes; None is the
        middle. By default the middle of the last map.
    picture : array (H, W) or (C, H, W), optional
        What is drawn in place of the image, such as the gradient of the element by the image.
    path : optional
        Where to save the figure (.png, .pdf, .svg).

    Returns
    -------
    figure : matplotlib.figure.Figure

    Raises
    ------
    ShapeError
        When image or picture have another shape.
    ArgumentError
        When there is no such layer or position, or what is seen from there is not known.

    Examples
    --------
    >>> import numpy as np
    >>> from tinyconv import nn
    >>> two = nn.Sequential(nn.Conv2d(1, 1, 3), nn.Conv2d(1, 1, 3))
    >>> figure = plot_receptive_field(two, np.eye(16)[None], {"0": (0, 0), "1": None})
    >>> [text.get_text() for text in figure.legends[0].get_texts()]
    ['0 (0, 0): 3×3', '1 (6, 6): 5×5']
    """
    shape = np.shape(image)
    if len(shape) != 3:
        raise ShapeError("plot_receptive_field", "image", shape, "(C, H, W)")
    shown = to_rgb(image if picture is None else picture, where="plot_receptive_field")
    if shown.shape[:2] != shape[1:]:
        raise ShapeError("plot_receptive_field", "picture", shown.shape[:2], f"the image's size {shape[1:]}")
    boxes = _boxes(model, shape, places)
    ends = np.array([[(0, n - 1) for n in shape[1:]], *boxes.values()])  # (boxes, axes, first and last)
    (top, left), (bottom, right) = ends[..., 0].min(0) - 1.5, ends[..., 1].max(0) + 1.5
    with style():
        wide = 5.4 * min(2.0, max(0.5, (right - left) / (bottom - top)))
        figure = new_figure(wide + 2.6, 6.0)
        axis = figure.subplots()
        axis.set_facecolor(PALE)
        axis.imshow(shown)
        for (name, box), colour in zip(boxes.items(), FRAMES * len(boxes), strict=False):
            _draw_frame(axis, name, box, colour)
        axis.set(xlim=(left, right), ylim=(bottom, top), xlabel="column", ylabel="row")
        axis.grid(False)
        heading = "layer (row, column): sees"
        figure.legend(loc="outside right upper", title=heading, fontsize=12, title_fontsize=12)
        if path is not None:
            save_figure(figure, path)
    return figure


def _boxes(model: Module, shape: tuple[int, ...], places: Mapping[str, Any] | None) -> dict[str, Any]:
    """What each element sees, ((top, bottom), (left, right)), by what the legend says of it."""
    table = summary(model, shape)
    if places is None:
        maps = [row.name for row in table.rows if len(row.output_shape) == len(shape)]
        if not maps:
            raise ArgumentError(
                "plot_receptive_field", "model", type(model).__name__, "a layer that makes maps"
            )
        places = {maps[-1]: None}
    boxes = {}
    for name, place in places.items():
        row = table[name]
        position = tuple(n // 2 for n in row.output_shape[1:]) if place is None else tuple(place)
        box = row.sees(position)
        size = "×".join(str(last - first + 1) for first, last in box)
        boxes[f"{name} {position}: {size}"] = box
    return boxes


def _draw_frame(axis: Any, name: str, box: Any, colour: str) -> None:
    from matplotlib.patches import Rectangle
    from matplotlib.patheffects import Normal, Stroke

    (top, bottom), (left, right) = box
    corner, size = (left - 0.5, top - 0.5), (right - left + 1, bottom - top + 1)
    rim = [Stroke(linewidth=5, foreground=BLACK), Normal()]
    frame = Rectangle(corner, *size, fill=False, edgecolor=colour, linewidth=3, label=name, path_effects=rim)
    axis.add_patch(frame)
    axis.plot((left + right) / 2, (top + bottom) / 2, "o", color=colour, markeredgecolor=BLACK, markersize=8)
