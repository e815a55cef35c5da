"""What is to be reached on a card, and whether it was."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import geometric_mean

from benchmarks.goals import Goal
from tinyconv.benchmark import Layer, Network, Row
from tinyconv.benchmark.case import TRAINING
from tinyconv.benchmark.gpu import PRECISIONS
from tinyconv.benchmark.race import OK

EAGER_GOALS = {Network("unet", 16, (3, 256, 256)): 1.0, Network("lenet5", 64, (1, 28, 28)): 3.0}
"""Of a training step: PyTorch's best eager time / tinyconv's best, in the same precision."""
LAYERS_GOAL, FEWEST_CHANNELS = 0.6, 64
"""Of each layer with so many channels on both sides: PyTorch's best time / tinyconv's best."""


def goals(rows: Sequence[Row]) -> list[Goal]:
    """Those goals for which something was measured, in each precision."""
    found = []
    for precision in PRECISIONS:
        ratios = _of_layers(rows, precision)
        if ratios:
            layers = f"{len(ratios)} layers with {FEWEST_CHANNELS} or more channels, {precision}"
            worst = min(ratios, key=lambda layer: ratios[layer])
            found.append(Goal(f"{layers}, the slowest ({worst.name})", ratios[worst], LAYERS_GOAL))
            found.append(Goal(f"{layers}, geometric mean", geometric_mean(ratios.values()), LAYERS_GOAL))
        for row in rows:
            goal = EAGER_GOALS.get(row.case) if isinstance(row.case, Network) else None
            ours, theirs = _least(row, "tinyconv", precision), _least(row, "pytorch", precision, "eager")
            if goal and row.task == TRAINING and ours and theirs:
                found.append(Goal(f"{row.label}, {precision}, PyTorch eager", theirs / ours, goal))
    return found


def _of_layers(rows: Sequence[Row], precision: str) -> dict[Layer, float]:
    """Per layer: forward + backward of PyTorch's best / tinyconv's; left out where one is missing."""
    seconds: dict[Layer, list[tuple[float | None, float | None]]] = {}
    for row in rows:
        case = row.case
        if isinstance(case, Layer) and min(case.in_channels, case.out_channels) >= FEWEST_CHANNELS:
            both = _least(row, "pytorch", precision), _least(row, "tinyconv", precision)
            seconds.setdefault(case, []).append(both)
    ratios = {}
    for layer, tasks in seconds.items():
        if len(tasks) == len(layer.tasks) and all(theirs and ours for theirs, ours in tasks):
            ratios[layer] = sum(theirs or 0 for theirs, _ in tasks) / sum(ours or 0 for _, ours in tasks)
    return ratios


def _least(row: Row, engine: str, precision: str, way: str = "") -> float | None:
    """The shortest time of an engine in a precision; `way` is the end of its name."""
    times = [
        entry.median
        for name, entry in row.entries.items()
        if entry.status == OK and name.startswith(engine) and f" {precision} " in name and name.endswith(way)
    ]
    return min(times, default=None)
