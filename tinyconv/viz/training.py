"""Curves of a training run: loss, Dice and other scores over steps or epochs."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tinyconv.errors import ArgumentError
from tinyconv.viz.style import CYCLE, new_figure, save_figure, style

Array = Any
Figure = Any
Curve = tuple[list[float], list[float]]

QUANTITIES = ("loss", "dice", "iou", "accuracy", "error")
_TITLES = {"loss": "Loss", "dice": "Dice", "iou": "IoU", "accuracy": "Accuracy", "error": "Error"}
_SMOOTH_FROM = 80


def plot_curves(metrics: Sequence[Mapping[str, Any]], path: str | os.PathLike[str] | None = None) -> Figure:
    """Draw one panel per quantity, one curve per series, over steps or epochs.

    Parameters
    ----------
    metrics : list of dict
        The lines of a run's metrics file. A key is a quantity (``loss``, ``dice``, ``iou``,
        ``accuracy``, ``error``), with or without the name of a series before it:
        ``val_dice`` is the quantity Dice of the series "val". The key ``step`` (or else
        ``epoch``, or else the line's number) is the horizontal axis. Lines may lack keys;
        NaN, infinities and other keys are left out.
    path : optional
        Where to save the figure (.png, .pdf, .svg).

    Returns
    -------
    figure : matplotlib.figure.Figure

    Raises
    ------
    ArgumentError
        When no line has a quantity to draw.
    """
    horizontal = next((key for key in ("step", "epoch") if any(key in line for line in metrics)), None)
    panels = _collect(metrics, horizontal)
    if not panels:
        expected = f"lines with at least one of {', '.join(QUANTITIES)}"
        raise ArgumentError("plot_curves", "metrics", f"{len(metrics)} lines without any quantity", expected)
    with style():
        figure = new_figure(6.4 * len(panels), 4.6)
        axes = figure.subplots(1, len(panels), squeeze=False, sharex=True)[0]
        names = list(dict.fromkeys(name for curves in panels.values() for name in curves))
        for axis, (quantity, curves) in zip(axes, panels.items(), strict=True):
            for name, curve in curves.items():
                _draw_curve(axis, curve, name, CYCLE[names.index(name) % len(CYCLE)])
            _finish(axis, quantity, horizontal or "line", legend=len(names) > 1)
            if quantity == "loss":
                _leave_out_peaks(axis, np.concatenate([values for _, values in curves.values()]))
        if path is not None:
            save_figure(figure, path)
    return figure


def _collect(metrics: Sequence[Mapping[str, Any]], horizontal: str | None) -> dict[str, dict[str, Curve]]:
    """Sort the numbers: quantity -> series -> (positions, values)."""
    panels: dict[str, dict[str, Curve]] = {}
    for number, line in enumerate(metrics):
        position = line.get(horizontal, None) if horizontal else number
        for key, value in line.items():
            series, _, quantity = key.replace("/", "_").rpartition("_")
            if quantity not in QUANTITIES or not _is_number(value) or not _is_number(position):
                continue
            curves = panels.setdefault(quantity, {})
            positions, values = curves.setdefault(series.replace("_", " ") or "training", ([], []))
            positions.append(float(position))
            values.append(float(value))
    return {quantity: panels[quantity] for quantity in QUANTITIES if quantity in panels}


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | np.number) and not isinstance(value, bool) and math.isfinite(value)


def _draw_curve(axis: Any, curve: Curve, name: str, colour: str) -> None:
    positions, values = np.asarray(curve[0]), np.asarray(curve[1])
    if len(values) < _SMOOTH_FROM:
        axis.plot(positions, values, color=colour, label=name, marker="o" if len(values) < 25 else None)
        return
    axis.plot(positions, values, color=colour, alpha=0.25, linewidth=1.0)
    window = len(values) // 20
    smooth = np.convolve(values, np.full(window, 1 / window), mode="valid")
    start = (window - 1) // 2
    axis.plot(
        positions[start : start + len(smooth)], smooth, color=colour, label=f"{name} (mean of {window})"
    )


def _finish(axis: Any, quantity: str, horizontal: str, legend: bool) -> None:
    from matplotlib.ticker import MaxNLocator

    axis.set(title=_TITLES[quantity], xlabel=horizontal)
    axis.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    if quantity == "loss":
        axis.set_ylim(bottom=min(0.0, axis.get_ylim()[0]))
    else:
        axis.set_ylim(0.0, 1.02)
    if legend:
        axis.legend()


def _leave_out_peaks(axis: Any, values: Any) -> None:
    """End the axis above nearly all values, where a few peaks would press the rest to the floor."""
    usual = 1.3 * float(np.percentile(values, 98))
    highest = float(values.max())
    if len(values) >= _SMOOTH_FROM and 0 < usual < highest / 2:
        axis.set_ylim(min(0.0, float(values.min())) - 0.03 * usual, usual)
        axis.set_title(f"{axis.get_title()} (peaks up to {highest:.3g} cut off)")
