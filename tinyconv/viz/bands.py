"""Several runs of each of several things: the band that they fill, and its middle."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from tinyconv.errors import ShapeError
from tinyconv.viz.style import CYCLE, new_figure, numbers, save_figure, style

Array = Any
Figure = Any


def plot_bands(
    panels: Mapping[str, Mapping[str, Any]],
    ylabel: str = "loss",
    path: str | os.PathLike[str] | None = None,
) -> Figure:
    """Draw one panel per entry, and in it one band per series of runs, over steps.

    Parameters
    ----------
    panels : dict
        For each title the series by name: arrays (runs, steps). The band reaches from the lowest
        to the highest run of each step; the line is their median.
    ylabel : str
        The axis is logarithmic where all numbers are above 0.
    path : optional
        Where to save the figure (.png, .pdf, .svg).

    Raises
    ------
    ShapeError
        When there is no panel, or a series is not two-dimensional or empty.

    Examples
    --------
    >>> figure = plot_bands({"LeNet": {"a": [[3.0, 2.0, 1.0], [3.0, 2.5, 1.5]]}})
    """
    found = {
        title: {name: _checked(name, values) for name, values in series.items()}
        for title, series in panels.items()
    }
    if not all(found.values()) or not found:
        raise ShapeError("plot_bands", "panels", f"{len(found)} panels", "at least one series in each")
    with style():
        figure = new_figure(7.2 * len(found), 5.0)
        axes = figure.subplots(1, len(found), squeeze=False)[0]
        for axis, (title, series) in zip(axes, found.items(), strict=True):
            for index, (name, runs) in enumerate(series.items()):
                steps, colour = np.arange(1, runs.shape[1] + 1), CYCLE[index % len(CYCLE)]
                axis.fill_between(steps, runs.min(0), runs.max(0), color=colour, alpha=0.3, linewidth=0)
                axis.plot(steps, np.median(runs, 0), color=colour, linewidth=1.4, label=name)
            if all(runs.min() > 0 for runs in series.values()):
                axis.set_yscale("log")
            axis.set(title=title, xlabel="step", ylabel=ylabel)
            axis.legend()
        if path is not None:
            save_figure(figure, path)
    return figure


def _checked(name: str, values: Any) -> Array:
    runs = numbers("plot_bands", name, values)
    if runs.ndim != 2 or runs.size == 0:
        raise ShapeError("plot_bands", name, f"of shape {runs.shape}", "(runs, steps), not empty")
    return runs
