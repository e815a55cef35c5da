"""Who is how much faster: ratios of times, one line per case."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from tinyconv.errors import ArgumentError
from tinyconv.viz.style import CYCLE, GREY, new_figure, save_figure, style

Figure = Any


def plot_ratios(
    labels: Sequence[str],
    ratios: Mapping[str, Sequence[float | None]],
    title: str = "",
    path: str | os.PathLike[str] | None = None,
) -> Figure:
    """Draw the ratios of each opponent's time to tinyconv's as dots, on a logarithmic axis.

    Parameters
    ----------
    labels : sequence of str
        One per case, from the top down.
    ratios : dict
        For each opponent one number per label; None where there is none.
    title : str
    path : optional
        Where to save the figure (.png, .pdf, .svg).

    Raises
    ------
    ArgumentError
        When the numbers of labels and ratios differ.

    Examples
    --------
    >>> figure = plot_ratios(["3x3", "1x1"], {"PyTorch": [1.5, None]})
    """
    for name, values in ratios.items():
        if len(values) != len(labels):
            expected = f"{len(labels)}, one per label"
            raise ArgumentError("plot_ratios", f"the number of ratios of {name!r}", len(values), expected)
    from matplotlib.ticker import LogLocator

    with style():
        figure = new_figure(11, 1.6 + 0.36 * max(len(labels), 2))
        axis = figure.subplots()
        axis.axvline(1, color=GREY, linewidth=1.5)
        for (name, values), colour in zip(ratios.items(), _colours(len(ratios)), strict=True):
            known = [(value, place) for place, value in enumerate(values) if value is not None]
            axis.scatter([v for v, _ in known], [p for _, p in known], s=70, color=colour, label=name)
        axis.set_xscale("log")
        axis.set_yticks(range(len(labels)), labels, fontsize=11)
        axis.set_ylim(len(labels) - 0.4, -0.6)
        axis.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axis.xaxis.set_major_formatter("{x:g}")
        axis.xaxis.set_minor_formatter("")
        axis.set_xlabel("time / tinyconv's time  (right of 1: tinyconv is faster)")
        if title:
            axis.set_title(title, loc="left")
        if len(ratios) > 1:
            figure.legend(loc="outside upper center", ncols=len(ratios), fontsize=11)
        if path is not None:
            save_figure(figure, path)
    return figure


def _colours(count: int) -> list[str]:
    return [CYCLE[index % len(CYCLE)] for index in range(count)]
