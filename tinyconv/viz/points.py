"""Points of several classes in the plane: what t-SNE makes of features with thousands of numbers."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tinyconv.errors import ArgumentError, ShapeError
from tinyconv.viz.style import CYCLE, new_figure, numbers, save_figure, style

Array = Any
Figure = Any

MARKERS = "osD^vP*X<>"
"""One for each class, beside its colour."""


def plot_points(
    panels: Mapping[str, Array],
    labels: Array,
    classes: Sequence[str],
    path: str | os.PathLike[str] | None = None,
) -> Figure:
    """Draw the same items at the places that several maps give them, in a colour and a form per class.

    Parameters
    ----------
    panels : dict
        Title of a panel -> places, array (N, 2), such as those of scikit-learn's ``TSNE``. The places
        of such a map have no unit, so that the axes have no numbers.
    labels : integer array (N,)
        From 0 to ``len(classes) - 1``.
    classes : sequence of str
    path : optional
        Where to save the figure (.png, .pdf, .svg).

    Returns
    -------
    figure : matplotlib.figure.Figure

    Raises
    ------
    ShapeError
        When there is no panel, or not one place for each label.
    ArgumentError
        When a label is not one of the classes.

    Examples
    --------
    >>> figure = plot_points({"a map": [[0, 0], [1, 2], [2, 1]]}, [0, 1, 1], ["cat", "dog"])
    >>> [drawn.get_label() for drawn in figure.axes[0].collections]
    ['cat', 'dog']
    """
    kinds = np.asarray(labels)
    if (
        kinds.dtype.kind not in "iu"
        or kinds.ndim != 1
        or not 0 <= kinds.min(initial=0) <= kinds.max(initial=0)
    ):
        raise ArgumentError(
            "plot_points", "labels", f"of dtype {kinds.dtype}, shape {kinds.shape}", "(N,), from 0"
        )
    if kinds.max(initial=0) >= len(classes):
        raise ArgumentError(
            "plot_points", "labels", kinds.max(), f"below {len(classes)}, the number of classes"
        )
    if not panels:
        raise ShapeError("plot_points", "panels", "empty", "at least one panel")
    with style():
        figure = new_figure(5.6 * len(panels) + 1.6, 5.6)
        axes = figure.subplots(1, len(panels), squeeze=False)[0]
        for axis, (title, values) in zip(axes, panels.items(), strict=True):
            places = numbers("plot_points", f"panel {title!r}", values)
            if places.shape != (len(kinds), 2):
                raise ShapeError("plot_points", f"panel {title!r}", places.shape, f"({len(kinds)}, 2)")
            for kind, name in enumerate(classes):
                colour, marker = CYCLE[kind % len(CYCLE)], MARKERS[kind % len(MARKERS)]
                own = places[kinds == kind]
                axis.scatter(*own.T, s=34, color=colour, marker=marker, alpha=0.75, linewidths=0, label=name)
            axis.set(title=title, xticks=[], yticks=[])
        handles, names = axes[0].get_legend_handles_labels()
        figure.legend(handles, names, loc="outside right center", fontsize=12, markerscale=1.4)
        if path is not None:
            save_figure(figure, path)
    return figure
