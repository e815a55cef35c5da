"""How fast is each way to do one thing: bars on a logarithmic axis, with lines for what is possible."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from tinyconv.errors import ArgumentError
from tinyconv.viz.style import BLUE, CYCLE, new_figure, save_figure, style

Figure = Any


def plot_speeds(
    labels: Sequence[str],
    speeds: Sequence[float],
    limits: Mapping[str, float] | None = None,
    title: str = "",
    path: str | os.PathLike[str] | None = None,
) -> Figure:
    """Draw one bar per label, from the top down, with its number at the end.

    Parameters
    ----------
    labels : sequence of str
    speeds : sequence of float
        In GFLOP/s, all above 0.
    limits : dict, optional
        Speeds that the machine cannot pass, by name: vertical lines.
    title : str
    path : optional
        Where to save the figure (.png, .pdf, .svg).

    Raises
    ------
    ArgumentError
        When the numbers of labels and speeds differ, or a speed is not above 0.

    Examples
    --------
    >>> figure = plot_speeds(["loops", "tiles"], [0.5, 90.0], {"peak": 115.0})
    """
    if len(labels) != len(speeds):
        raise ArgumentError(
            "plot_speeds", "the number of speeds", len(speeds), f"{len(labels)}, one per label"
        )
    if not all(speed > 0 for speed in speeds):
        raise ArgumentError("plot_speeds", "speeds", list(speeds), "numbers above 0")
    with style():
        figure = new_figure(11, 1.8 + 0.55 * max(len(labels), 2))
        axis = figure.subplots()
        bars = axis.barh(range(len(labels)), speeds, color=BLUE, height=0.6)
        axis.bar_label(bars, [f"{speed:.3g}" for speed in speeds], padding=4, fontsize=12)
        for (name, limit), colour in zip((limits or {}).items(), CYCLE[1:], strict=False):
            axis.axvline(limit, color=colour, linestyle="--", label=f"{name}: {limit:.3g}")
        axis.set_xscale("log")
        axis.set_xlim(min(speeds) / 3, max(*speeds, *(limits or {}).values()) * 4)
        axis.xaxis.set_major_formatter("{x:g}")
        axis.set_yticks(range(len(labels)), labels, fontsize=12)
        axis.invert_yaxis()
        axis.grid(axis="y", visible=False)
        axis.set_xlabel("GFLOP/s")
        if title:
            axis.set_title(title, loc="left")
        if limits:
            figure.legend(loc="outside upper center", ncols=len(limits), fontsize=11)
        if path is not None:
            save_figure(figure, path)
    return figure
