"""A network as it is drawn on a board: a box for each stack of maps, lower where the maps are smaller.

Networks that make maps small and large again become a U; what is laid beside the maps on the way up,
or the places that an unpooling gets, is a dashed line across it.
"""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tinyconv.errors import ArgumentError
from tinyconv.nn import Module, summary
from tinyconv.viz.style import BLUE, GREEN, GREY, ORANGE, VERMILLION, new_figure, save_figure, style

Figure = Any

GAP, DROP = 0.75, 1.25
"""Between two boxes, and between two levels, in units of the drawing."""


@dataclass
class Stack:
    """Maps of one number and, but for what filters take off at the border, of one size.

    Attributes
    ----------
    channels : int
    size : tuple of int
        At the end of the stack; empty for what a dense layer gives.
    level : int
        How many times the image has been halved.
    link : int or None
        The stack from which maps ("copy") or places ("places") come across.
    """

    channels: int
    size: tuple[int, ...]
    level: int
    link: int | None = None
    kind: str = ""


def stacks(model: Module, input_size: Sequence[int]) -> list[Stack]:
    """The stacks of maps that a model makes of one image, in the order in which it makes them.

    Parameters
    ----------
    model : Module
        One whose layers come one after the other; of branches the layers are put in a row.
    input_size : tuple of int
        Of the image, without N.

    Examples
    --------
    >>> from tinyconv import nn
    >>> net = nn.Sequential(nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5))
    >>> [(stack.channels, stack.size, stack.level) for stack in stacks(net, (1, 28, 28))]
    [(1, (28, 28), 0), (6, (28, 28), 0), (16, (10, 10), 1)]
    """
    rows = summary(model, input_size).rows
    if not rows or len(input_size) < 2:
        raise ArgumentError(
            "plot_architecture", "model", type(model).__name__, "layers, and images (C, H, W)"
        )
    found = [Stack(input_size[0], tuple(input_size[1:]), 0)]
    size, channels, level = found[0].size, found[0].channels, 0
    for place, row in enumerate(rows):
        layer = model.get_submodule(row.name) if row.name else model
        across = _comes_across(layer, row.kind, channels)
        channels, new_size = row.output_shape[0], row.output_shape[1:]
        if new_size and size:
            level += _halvings(layer, row.kind, size[-1], new_size[-1])
        size = new_size
        followed = place + 1 < len(rows) and "Conv" in rows[place + 1].kind
        last = found[-1]
        if "Pool" in row.kind and followed:
            continue
        if not across and (last.channels, last.level, bool(last.size)) == (channels, level, bool(size)):
            last.size = size
        else:
            link = _partner(found, level) if across else None
            found.append(Stack(channels, size, level, link, across if link is not None else ""))
    return found


def _halvings(layer: Any, kind: str, before: int, after: int) -> int:
    """How often a layer halves the image, negative where it doubles it; not what filters cut off."""
    step = getattr(layer, "stride", None) or getattr(layer, "kernel_size", None)
    step = step[-1] if isinstance(step, tuple | list) else step
    if not isinstance(step, int) or not ("Conv" in kind or "Pool" in kind):
        return round(math.log2(before / after))
    halvings = round(math.log2(step))
    return -halvings if "Transpose" in kind or "Unpool" in kind else halvings


def _comes_across(layer: Any, kind: str, channels: int) -> str:
    """What this layer gets from the way down: "copy", "places", or nothing."""
    if "Unpool" in kind:
        return "places"
    takes = getattr(layer, "in_channels", None)
    return "copy" if "Conv" in kind and isinstance(takes, int) and takes > channels else ""


def _partner(found: list[Stack], level: int) -> int | None:
    """The last stack of this level on the way down; None if the way has not been down yet."""
    deepest = max(range(len(found)), key=lambda place: found[place].level)
    before = [place for place in range(deepest) if found[place].level == level]
    return before[-1] if before and found[deepest].level > level else None


def plot_architecture(
    model: Module, input_size: Sequence[int], title: str = "", path: str | os.PathLike[str] | None = None
) -> Figure:
    """Draw the maps that a model makes of an image, as a U where it makes them large again.

    The number over a box are its maps, that below it their size.

    Parameters
    ----------
    model : Module
    input_size : tuple of int
        (C, H, W), or (C, D, H, W) for volumes.
    title : str
    path : optional
        Where to save the figure (.png, .pdf, .svg).

    Returns
    -------
    figure : matplotlib.figure.Figure

    Raises
    ------
    ArgumentError
        When the model has no layers, or `input_size` is not that of an image.
    """
    boxes = stacks(model, input_size)
    lefts, left = [], 0.0
    for box in boxes:
        lefts.append(left)
        left += _width(box) + GAP
    depth = max(box.level for box in boxes)
    with style():
        figure = new_figure(max(6.0, 0.62 * left + 0.6), 1.25 * (depth + 1) + 1.6)
        axis = figure.subplots()
        for box, at in zip(boxes, lefts, strict=True):
            _draw_box(axis, box, at)
        for place in range(1, len(boxes)):
            _draw_step(axis, boxes[place - 1], lefts[place - 1], boxes[place], lefts[place])
        for box, at in zip(boxes, lefts, strict=True):
            if box.link is not None:
                start = lefts[box.link] + _width(boxes[box.link])
                height = -DROP * box.level + 0.14
                _arrow(axis, (start, height), (at, height), GREY, linestyle="--", linewidth=1.5, zorder=0.5)
        across = sorted({box.kind for box in boxes if box.kind})
        axis.set(xlim=(-0.5, left), ylim=(-DROP * depth - 0.95, 0.85), title=title)
        if across:
            axis.plot([], [], color=GREY, linestyle="--", linewidth=1.5, label=" and ".join(across))
            axis.legend(loc="lower left", fontsize=12)
        axis.set_axis_off()
        if path is not None:
            save_figure(figure, path)
    return figure


def _width(box: Stack) -> float:
    return 0.16 + 0.1 * math.log2(box.channels) if box.size else 0.14


def _half(box: Stack) -> float:
    """Half of the height of a box."""
    return 0.42 * 0.86**box.level if box.size else 0.3


def _draw_box(axis: Any, box: Stack, left: float) -> None:
    from matplotlib.patches import Rectangle

    middle, half = -DROP * box.level, _half(box)
    colour = ORANGE if not box.size else GREEN if box.link is not None else BLUE
    axis.add_patch(Rectangle((left, middle - half), _width(box), 2 * half, color=colour))
    centre = left + _width(box) / 2
    axis.text(centre, middle + half + 0.04, str(box.channels), ha="center", va="bottom", fontsize=12)
    same = len(set(box.size)) == 1
    name = f"{box.size[0]}{'²³'[len(box.size) - 2]}" if same else "×".join(map(str, box.size))
    axis.text(centre, middle - half - 0.05, name, ha="center", va="top", fontsize=10, color=GREY)


def _draw_step(axis: Any, before: Stack, left: float, box: Stack, at: float) -> None:
    """The arrow from a box to the next: to the right, or down or up to another level."""
    start, end = left + _width(before), at
    colour = GREY if before.level == box.level else VERMILLION
    _arrow(axis, (start, -DROP * before.level), (end, -DROP * box.level), colour, linewidth=1.5)


def _arrow(axis: Any, start: tuple[float, float], end: tuple[float, float], colour: str, **line: Any) -> None:
    how = {"arrowstyle": "-|>", "color": colour, "shrinkA": 2, "shrinkB": 2, **line}
    axis.annotate("", end, start, arrowprops=how, zorder=line.get("zorder", 2))
