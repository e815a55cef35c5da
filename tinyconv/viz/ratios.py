"""Numbers that are compared with 1, as dots on one line per case: ratios of times, shares of a limit."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from tinyconv.errors import ArgumentError
from tinyconv.viz.style import CYCLE, GREY, new_figure, save_figure, style

Figure = Any
Numbers = Mapping[str, Sequence[float | None]]


def plot_ratios(
    labels: Sequence[str],
    ratios: Numbers,
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
    _check("plot_ratios", "ratios", labels, ratios)
    from matplotlib.ticker import LogLocator

    with style():
        figure, axis = _dots(labels, ratios, title, line_height=0.36, dot_size=70)
        axis.set_xscale("log")
        axis.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axis.xaxis.set_major_formatter("{x:g}")
        axis.xaxis.set_minor_formatter("")
        axis.set_xlabel("time / tinyconv's time  (right of 1: tinyconv is faster)")
        if path is not None:
            save_figure(figure, path)
    return figure


def plot_shares(
    labels: Sequence[str],
    shares: Numbers,
    title: str = "",
    path: str | os.PathLike[str] | None = None,
) -> Figure:
    """Draw shares of a copy's speed as dots, one line per label and one colour per kind.

    Parameters
    ----------
    labels : sequence of str
        One per line, from the top down.
    shares : dict
        For each kind one number per label, 1 for the limit; None where there is none.
    title : str
    path : optional
        Where to save the figure (.png, .pdf, .svg).

    Raises
    ------
    ArgumentError
        When the numbers of labels and shares differ.

    Examples
    --------
    >>> figure = plot_shares(["relu", "softmax"], {"forward": [0.95, 0.8], "backward": [0.9, None]})
    """
    _check("plot_shares", "shares", labels, shares)
    with style():
        figure, axis = _dots(labels, shares, title, line_height=0.3, dot_size=60)
        axis.set_xlim(left=0)
        axis.xaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
        axis.set_xlabel("bytes per second, relative to a copy")
        if path is not None:
            save_figure(figure, path)
    return figure


def _check(function: str, what: str, labels: Sequence[str], numbers: Numbers) -> None:
    for name, values in numbers.items():
        if len(values) != len(labels):
            expected = f"{len(labels)}, one per label"
            raise ArgumentError(function, f"the number of {what} of {name!r}", len(values), expected)


def _dots(
    labels: Sequence[str], numbers: Numbers, title: str, line_height: float, dot_size: float
) -> tuple[Figure, Any]:
    """The figure with its dots, labels and the line at 1; heights in inches, sizes in square points."""
    figure = new_figure(11, 1.6 + line_height * max(len(labels), 2))
    axis = figure.subplots()
    axis.axvline(1, color=GREY, linewidth=1.5)
    for index, (name, values) in enumerate(numbers.items()):
        known = [(value, place) for place, value in enumerate(values) if value is not None]
        across, down = [value for value, _ in known], [place for _, place in known]
        axis.scatter(across, down, s=dot_size, color=CYCLE[index % len(CYCLE)], label=name)
    axis.set_yticks(range(len(labels)), labels, fontsize=11)
    axis.set_ylim(len(labels) - 0.4, -0.6)
    if title:
        axis.set_title(title, loc="left")
    if len(numbers) > 1:
        figure.legend(loc="outside upper center", ncols=len(numbers), fontsize=11)
    return figure, axis
