"""The picture of a search for the learning rate."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from typing import Any

from tinyconv.errors import ArgumentError
from tinyconv.viz.style import CYCLE, new_figure, save_figure, style

Figure = Any


def plot_learning_rates(
    rates: Sequence[float],
    losses: Sequence[float],
    smooth: Sequence[float],
    suggestion: float = math.nan,
    path: str | os.PathLike[str] | None = None,
) -> Figure:
    """Draw the losses of a learning-rate search over the rates, and the rate that is suggested.

    Parameters
    ----------
    rates, losses, smooth : sequences of one length
        What `train.find_learning_rate` returns.
    suggestion : float
        Marked by a line, unless it is NaN.
    path : optional
        Where to save the figure (.png, .pdf, .svg).

    Returns
    -------
    figure : matplotlib.figure.Figure

    Raises
    ------
    ArgumentError
        If there is nothing to draw, or the lengths differ.
    """
    if not rates or not len(rates) == len(losses) == len(smooth):
        found = f"of lengths {len(rates)}, {len(losses)} and {len(smooth)}"
        raise ArgumentError("plot_learning_rates", "rates, losses, smooth", found, "one length above 0")
    with style():
        figure = new_figure(6.4, 4.6)
        axis = figure.subplots()
        axis.semilogx(rates, losses, color=CYCLE[0], alpha=0.3, linewidth=1.0, label="of each step")
        axis.semilogx(rates, smooth, color=CYCLE[0], label="running mean")
        if not math.isnan(suggestion):
            axis.axvline(suggestion, color=CYCLE[1], linestyle="--", label=f"steepest at {suggestion:.1e}")
        axis.set(title="Loss while the learning rate rises", xlabel="learning rate", ylabel="loss")
        low, high = min(smooth), max(smooth)
        margin = 0.1 * ((high - low) or 1.0)
        axis.set_ylim(low - margin, high + margin)
        axis.legend()
        if path is not None:
            save_figure(figure, path)
    return figure
