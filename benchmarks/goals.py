"""What is to be reached, and whether it was."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import geometric_mean

from benchmarks.cases import is_plain_3x3
from benchmarks.memory import MemoryRow
from tinyconv.benchmark import Layer, Network, Row
from tinyconv.benchmark.case import INFERENCE, TRAINING

OURS, THEIRS = "tinyconv", "pytorch"

TRAINING_GOALS = {"mlp": 1.2, "lenet5": 1.2, "vgg16": 1.3, "resnet18": 1.2, "unet": 1.5, "unet3d": 1.0}
INFERENCE_GOAL = 1.0
MEMORY_GOAL = 1.0


@dataclass(frozen=True)
class Goal:
    """A number that was measured, and the one that it should reach."""

    name: str
    value: float
    goal: float
    at_most: bool = False

    @property
    def reached(self) -> bool:
        return self.value <= self.goal if self.at_most else self.value >= self.goal

    def __str__(self) -> str:
        relation = "at most" if self.at_most else "at least"
        verdict = "reached" if self.reached else "NOT REACHED"
        return f"{self.name}: {self.value:.2f}, goal {relation} {self.goal:.1f}: {verdict}"


def goals(rows: Sequence[Row], memory: Sequence[MemoryRow]) -> list[Goal]:
    """Those goals for which something was measured."""
    found = []
    for name, wanted, goal in (
        ("3x3 stride-1 layers with 32 or more channels, geometric mean", is_plain_3x3, 1.3),
        ("all layers, geometric mean", lambda layer: True, 1.0),
    ):
        ratios = list(layer_ratios(rows, wanted).values())
        if ratios:
            found.append(Goal(f"{name} of {len(ratios)}", geometric_mean(ratios), goal))
    for row in rows:
        ratio = row.ratio(OURS, THEIRS)
        if isinstance(row.case, Network) and ratio is not None:
            goal = TRAINING_GOALS[row.case.network] if row.task == TRAINING else INFERENCE_GOAL
            found.append(Goal(row.label, ratio, goal))
    for line in memory:
        ratio = line.ratio()
        if ratio is not None and line.task != INFERENCE:
            found.append(Goal(f"memory of {line.label}", ratio, MEMORY_GOAL, at_most=True))
    return found


def layer_ratios(rows: Sequence[Row], wanted: Callable[[Layer], bool]) -> dict[Layer, float]:
    """Per layer: forward + backward of PyTorch's best / tinyconv's; left out where one is missing."""
    tasks: dict[Layer, list[Row]] = {}
    for row in rows:
        if isinstance(row.case, Layer) and wanted(row.case):
            tasks.setdefault(row.case, []).append(row)
    ratios = {}
    for layer, both in tasks.items():
        best = [(row.best(THEIRS), row.best(OURS), row) for row in both]
        if len(best) == len(layer.tasks) and all(theirs and ours for theirs, ours, _ in best):
            theirs_seconds = sum(row.entries[theirs].median for theirs, _, row in best if theirs)
            ratios[layer] = theirs_seconds / sum(row.entries[ours].median for _, ours, row in best if ours)
    return ratios
