"""Horizontal bars: a number for each of several things, in one panel or several side by side."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from tinyconv.errors import ArgumentError, ShapeError
from tinyconv.viz.style import CYCLE, new_figure, numbers, save_figure, style

Figure = Any


def plot_bars(
    panels: Mapping[str, Mapping[str, float]],
    label: str = "",
    form: str = "{:.3g}",
    path: str | os.PathLike[str] | None = None,
) -> Figure:
    """Draw a bar for each number, the first at the top, and the number at its end.

    Parameters
    ----------
    panels : dict of dict
        Title of a panel -> name of a bar -> its length. The panels share the scale, and have the same
        names in the same order.
    label : str
        What the length is.
    form : str
        How a number is written, see `str.format`.
    path : optional
        Where to save the figure (.png, .pdf, .svg).

    Returns
    -------
    figure : matplotlib.figure.Figure

    Raises
    ------
    ShapeError
        When there is no bar, or the panels have different ones.
    DtypeError, ArgumentError
        When a length is not a number, or infinite.

    Examples
    --------
    >>> figure = plot_bars({"VGG-16": {"filters": 14.7, "dense": 123.6}}, "million weights")
    >>> [text.get_text() for text in figure.axes[0].texts]
    ['14.7', '124']
    """
    names = list(next(iter(panels.values()), ()))
    if not names or any(list(bars) != names for bars in panels.values()):
        found = [list(bars) for bars in panels.values()]
        raise ShapeError("plot_bars", "panels", found, "the same bars in each, at least one")
    lengths = [
        numbers("plot_bars", f"panel {title!r}", list(bars.values())) for title, bars in panels.items()
    ]
    if any(np.isinf(values).any() for values in lengths):
        raise ArgumentError("plot_bars", "panels", "infinite somewhere", "numbers, or NaN for no bar")
    reach = max(float(np.nanmax(np.abs(values), initial=0.0)) for values in lengths)
    with style():
        wide = 0.1 * max(len(name) for name in names)
        figure = new_figure(wide + 5.2 * len(panels), 0.52 * len(names) + 1.5)
        axes = figure.subplots(1, len(panels), squeeze=False, sharey=True, sharex=True)[0]
        for axis, title, values, colour in zip(axes, panels, lengths, CYCLE * len(panels), strict=False):
            places = np.arange(len(names))
            axis.barh(places, values, color=colour, height=0.7)
            for place, value in zip(places, values, strict=True):
                side = 1 if value >= 0 or np.isnan(value) else -1
                start = 0.0 if np.isnan(value) else value
                axis.annotate(
                    form.format(value), (start, place), (4 * side, 0), textcoords="offset points",
                    ha="left" if side > 0 else "right", va="center", fontsize=12,
                )  # fmt: skip
            axis.set(title=title, xlabel=label)
            axis.grid(axis="y", visible=False)
        axes[0].set_yticks(places, names)
        axes[0].invert_yaxis()
        low = min(0.0, *(float(np.nanmin(values, initial=0.0)) for values in lengths))
        axes[0].set_xlim(low - (0.22 * reach if low < 0 else 0), 1.22 * reach or 1.0)
        ticks = axes[0].get_xticks()  # where the numbers stand the axis goes on, but means nothing
        axes[0].set_xticks(ticks[(ticks >= 1.02 * low) & (ticks <= 1.02 * (reach or 1.0))])
        if path is not None:
            save_figure(figure, path)
    return figure
