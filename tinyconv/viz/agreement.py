"""Two ways of measuring the same things: one against the other, and their differences (Bland and Altman)."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from tinyconv.errors import ShapeError
from tinyconv.viz.style import BLUE, GREY, VERMILLION, new_figure, numbers, save_figure, style

Array = Any
Figure = Any

_PANEL, _TEXT = 280, 12  # points: the height of a panel, and of the names of lines


def plot_agreement(
    agreement: Any, unit: str = "", title: str = "", path: str | os.PathLike[str] | None = None
) -> Figure:
    """Draw measured over reference values, and beside it Bland and Altman's plot.

    On the left agreement is the line through the origin, on the right it is the height 0; there the
    full line is the mean difference, the dashed ones are the 95 % limits of agreement.

    Parameters
    ----------
    agreement : metrics.BlandAltman
        See `metrics.bland_altman`.
    unit : str
        Of the measured values, such as ``"ml"``.
    title : str
    path : optional
        Where to save the figure (.png, .pdf, .svg).

    Returns
    -------
    figure : matplotlib.figure.Figure

    Raises
    ------
    ShapeError
        When means and differences are not two arrays (N,) of one length.

    Examples
    --------
    >>> from tinyconv import metrics
    >>> figure = plot_agreement(metrics.bland_altman([11, 21, 34], [10, 20, 30]), "ml")
    >>> figure.axes[1].get_ylabel()
    'measured − reference (ml)'
    """
    means = numbers("plot_agreement", "agreement.means", agreement.means)
    differences = numbers("plot_agreement", "agreement.differences", agreement.differences)
    if means.ndim != 1 or means.shape != differences.shape or not means.size:
        raise ShapeError("plot_agreement", "agreement", (means.shape, differences.shape), "(N,) twice")
    measured, reference = means + differences / 2, means - differences / 2
    in_unit = f" ({unit})" if unit else ""
    with style():
        figure = new_figure(12.0, 5.0)
        left, right = figure.subplots(1, 2)
        ends = np.array([min(measured.min(), reference.min()), max(measured.max(), reference.max())])
        left.plot(ends, ends, color=GREY, linewidth=1.5, linestyle=":")
        left.scatter(reference, measured, s=40, color=BLUE, alpha=0.75, linewidths=0, zorder=3)
        left.set(xlabel=f"reference{in_unit}", ylabel=f"measured{in_unit}", title=title)
        right.axhline(0, color=GREY, linewidth=1.5, linestyle=":")
        right.scatter(means, differences, s=40, color=BLUE, alpha=0.75, linewidths=0, zorder=3)
        lines = {"+1.96 SD": agreement.upper, "mean": agreement.bias, "−1.96 SD": agreement.lower}
        for name, height in lines.items():
            right.axhline(height, color=VERMILLION, linewidth=2, linestyle="-" if name == "mean" else "--")
        low, high = right.get_ylim()
        distance = (agreement.upper - agreement.bias) / (high - low) * _PANEL
        apart = max(0.0, 1.3 * _TEXT - distance)  # names of lines that coincide stand above each other
        for (name, height), shift in zip(lines.items(), (apart, 0, -apart), strict=True):
            text = f"{name} {height:.3g}".replace("-", "−")
            right.annotate(
                text, (1, height), (5, shift), xycoords=("axes fraction", "data"), textcoords="offset points",
                va="center", fontsize=_TEXT, color=VERMILLION, annotation_clip=False,
            )  # fmt: skip
        right.set(xlabel=f"mean of both{in_unit}", ylabel=f"measured − reference{in_unit}")
        if path is not None:
            save_figure(figure, path)
    return figure
