"""Where a classifier of points in the plane changes its mind: regions, the line between them, the points."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tinyconv.errors import ShapeError
from tinyconv.viz.style import BLACK, BLUE, ORANGE, new_figure, numbers, save_figure, style

Array = Any
Figure = Any
Score = Callable[[Array], Array]

FINENESS = 240
MARKERS = ((BLUE, "o", "class 0"), (ORANGE, "s", "class 1"))


def plot_boundary(
    scores: Sequence[Score] | Score,
    points: Array,
    labels: Array,
    titles: Sequence[str] | str = "",
    axes: tuple[str, str] = ("$x_1$", "$x_2$"),
    path: str | os.PathLike[str] | None = None,
) -> Figure:
    """Draw the points of two classes, and behind them the regions that each score divides the plane into.

    Parameters
    ----------
    scores : callable or list of callable
        Takes points (M, 2), gives M numbers: above 0 is class 1. One panel each.
    points : array (N, 2)
    labels : array (N,)
        0 or 1.
    titles : str or list of str
        One per panel.
    axes : pair of str
        What the two coordinates are called.
    path : optional
        Where to save the figure (.png, .pdf, .svg).

    Returns
    -------
    figure : matplotlib.figure.Figure

    Raises
    ------
    ShapeError
        When points, labels, titles or what a score gives do not fit each other.

    Examples
    --------
    >>> corners = [[0, 0], [0, 1], [1, 0], [1, 1]]
    >>> figure = plot_boundary(lambda points: points.sum(1) - 1.5, corners, [0, 0, 0, 1], "and")
    >>> [axis.get_title() for axis in figure.axes]
    ['and']
    """
    panels = [scores] if callable(scores) else list(scores)
    names = [titles] * len(panels) if isinstance(titles, str) else list(titles)
    points, labels = numbers("plot_boundary", "points", points), numbers("plot_boundary", "labels", labels)
    if points.ndim != 2 or points.shape[1] != 2 or len(points) == 0:
        raise ShapeError("plot_boundary", "points", points.shape, "(N, 2), N at least 1")
    if labels.shape != (len(points),):
        raise ShapeError("plot_boundary", "labels", labels.shape, f"({len(points)},), one per point")
    if len(names) != len(panels):
        raise ShapeError(
            "plot_boundary", "titles", f"of length {len(names)}", f"{len(panels)}, one per score"
        )
    grid = _grid(points)
    with style():
        figure = new_figure(4.6 * len(panels), 5.4)
        row = figure.subplots(1, len(panels), squeeze=False)[0]
        for axis, score, name in zip(row, panels, names, strict=True):
            _draw_regions(axis, grid, score)
            _draw_points(axis, points, labels)
            axis.set(title=name, xlabel=axes[0], ylabel=axes[1])
            axis.set_aspect("equal")
            axis.grid(visible=False)
        handles, texts = figure.axes[0].get_legend_handles_labels()
        figure.legend(handles, texts, loc="outside lower center", ncols=2)
        if path is not None:
            save_figure(figure, path)
    return figure


def _grid(points: Array) -> Array:
    """A square of places around the points: (2, F, F), first coordinate first."""
    low, high = points.min(0), points.max(0)
    reach = 0.5 * max((high - low).max(), 1e-9) * 1.6
    centre = (low + high) / 2
    lines = [np.linspace(middle - reach, middle + reach, FINENESS) for middle in centre]
    return np.stack(np.meshgrid(*lines))


def _draw_regions(axis: Any, grid: Array, score: Score) -> None:
    places = grid.reshape(2, -1).T
    heights = numbers("plot_boundary", "scores", score(places))
    if heights.shape != (len(places),):
        expected = f"({len(places)},) for points {places.shape}"
        raise ShapeError("plot_boundary", "what a score gives", heights.shape, expected)
    heights = heights.reshape(grid.shape[1:])
    axis.contourf(*grid, heights > 0, levels=[-0.5, 0.5, 1.5], colors=[BLUE, ORANGE], alpha=0.18)
    if heights.min() < 0 < heights.max():
        axis.contour(*grid, heights, levels=[0], colors=BLACK, linewidths=2)


def _draw_points(axis: Any, points: Array, labels: Array) -> None:
    for label, (colour, marker, name) in enumerate(MARKERS):
        chosen = points[labels == label]
        size = 160 if len(points) < 50 else 24
        axis.scatter(*chosen.T, c=colour, marker=marker, s=size, edgecolors=BLACK, label=name, zorder=3)
