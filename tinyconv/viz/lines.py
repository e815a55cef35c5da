"""Curves of functions: y over x, several in one panel or one panel each."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from tinyconv.errors import ArgumentError, ShapeError
from tinyconv.viz.style import new_figure, numbers, save_figure, style

Array = Any
Figure = Any
Curves = Mapping[str, Any]

FEW = 8
"""Up to so many x a logarithmic axis names each of them, and nothing else."""


def plot_lines(
    panels: Mapping[str, Curves],
    x: Array,
    labels: tuple[str, str] = ("", ""),
    log: str = "",
    path: str | os.PathLike[str] | None = None,
) -> Figure:
    """Draw curves over the same x: panels side by side, on the same scales, each with the curves of its own.

    Parameters
    ----------
    panels : dict of dict
        Title of a panel -> name of a curve -> its values, one per x. NaN leaves a gap.
    x : array (N,)
    labels : pair of str
        What lies along the two axes.
    log : {"", "x", "y", "xy"}
        Which axes are logarithmic.
    path : optional
        Where to save the figure (.png, .pdf, .svg).

    Returns
    -------
    figure : matplotlib.figure.Figure

    Raises
    ------
    ArgumentError
        When there is no panel, or `log` is another word.
    ShapeError
        When a curve has not one value for each x.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.linspace(-1, 1, 5)
    >>> figure = plot_lines({"bent": {"ReLU": np.maximum(x, 0), "its slope": x > 0}}, x)
    >>> [line.get_label() for line in figure.axes[0].lines]
    ['ReLU', 'its slope']
    """
    if log not in ("", "x", "y", "xy"):
        raise ArgumentError("plot_lines", "log", repr(log), "'', 'x', 'y' or 'xy'")
    if not panels:
        raise ArgumentError("plot_lines", "panels", "empty", "at least one panel")
    x = numbers("plot_lines", "x", x)
    with style():
        figure = new_figure(6.0 * len(panels), 4.4)
        axes = figure.subplots(1, len(panels), squeeze=False, sharex=True, sharey=True)[0]
        for axis, (title, curves) in zip(axes, panels.items(), strict=True):
            for name, values in curves.items():
                axis.plot(x, _curve(name, values, x), label=name)
            axis.set(title=title, xlabel=labels[0], ylabel=labels[1])
            if "x" in log:
                axis.set_xscale("log")
                if len(x) <= FEW:  # room for each of them
                    axis.set_xticks(x, [f"{value:g}" for value in x])
                    axis.minorticks_off()
            if "y" in log:
                axis.set_yscale("log")
            if len(curves) > 1:
                axis.legend(fontsize=12)
        if "y" in log:
            _name_heights(axes[0])  # the others share its axis
        if path is not None:
            save_figure(figure, path)
    return figure


def _name_heights(axis: Any) -> None:
    """On a logarithmic axis of one decade or two also 2 and 5 are named, and all in plain numbers."""
    from matplotlib.ticker import LogLocator, NullFormatter

    low, high = axis.get_ylim()
    if high / low < 300:
        axis.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axis.yaxis.set_major_formatter("{x:g}")
        axis.yaxis.set_minor_formatter(NullFormatter())


def _curve(name: str, values: Any, x: Array) -> Array:
    curve = numbers("plot_lines", f"the curve {name!r}", values)
    if curve.shape != x.shape or x.ndim != 1:
        raise ShapeError("plot_lines", f"the curve {name!r}", curve.shape, f"{x.shape}, as x is")
    return curve
