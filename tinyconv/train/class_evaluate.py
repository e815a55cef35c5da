"""How well a classifier names images: probabilities, scores by class, the worst answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinyconv.grad_mode import no_grad
from tinyconv.metrics import confusion_matrix, expected_calibration_error, roc_auc, top_k_accuracy
from tinyconv.nn import Module
from tinyconv.ops.shape import cat
from tinyconv.ops.softmax import softmax
from tinyconv.train.placing import batches_for

Array = Any

BATCH = 100


@dataclass(frozen=True)
class Scored:
    """What a model said of some images.

    Attributes
    ----------
    probabilities : array (N, C), float64
    labels : integer array (N,)
        The true classes.
    """

    probabilities: Array
    labels: Array

    @property
    def answers(self) -> Array:
        """The class with the highest probability, for each image."""
        return self.probabilities.argmax(axis=1)

    @property
    def confidence(self) -> Array:
        """The probability of the answer, for each image."""
        return self.probabilities.max(axis=1)

    @property
    def accuracy(self) -> float:
        """The share of right answers."""
        return float((self.answers == self.labels).mean()) if len(self.labels) else float("nan")

    @property
    def loss(self) -> float:
        """The mean cross-entropy."""
        own = self.probabilities[np.arange(len(self.labels)), self.labels]
        return float(-np.log(np.maximum(own, 1e-12)).mean()) if len(own) else float("nan")


def score(model: Module, data: Any, stopping: Callable[[], bool] = lambda: False) -> Scored:
    """Ask the model, in evaluation mode, what each image is; ends early if `stopping` says so."""
    model.eval()
    probabilities, labels = [], []
    with no_grad():
        for x, targets in batches_for(model, data, BATCH):
            if stopping():
                break
            probabilities.append(softmax(model(x), 1))
            labels.append(targets)
    if not labels:
        return Scored(np.zeros((0, 1)), np.zeros(0, int))
    joined = cat(probabilities).cpu().array.astype(np.float64)
    return Scored(joined / joined.sum(axis=1, keepdims=True), cat(labels).cpu().array)


def worst(scored: Scored, most: int) -> list[int]:
    """The places of wrong answers, the surest first; at most `most`."""
    wrong = np.flatnonzero(scored.answers != scored.labels)
    order = np.argsort(-scored.confidence[wrong], kind="stable")
    return wrong[order][:most].tolist()


def table(scored: Scored, classes: list[str]) -> list[str]:
    """Lines of text: the scores of all, then of each class.

    Precision is the share of right answers among those that name the class, recall (sensitivity)
    the share of the class's images that are found, F1 the harmonic mean of the two.
    """
    matrix = confusion_matrix(scored.answers, scored.labels, len(classes))
    lines = [
        f"images                      {len(scored.labels):,}",
        f"accuracy                    {scored.accuracy:.4f}",
        f"cross-entropy               {scored.loss:.4f}",
        f"expected calibration error  {expected_calibration_error(scored.probabilities, scored.labels):.4f}",
    ]
    if len(classes) > 5:
        reached = top_k_accuracy(scored.probabilities, scored.labels, 5)
        lines.insert(2, f"top-5 accuracy              {reached:.4f}")
    areas = roc_auc(scored.probabilities, scored.labels)
    width = max(len("class"), *map(len, classes))
    lines += ["", f"{'class':{width}}  images  precision  recall      F1     AUC"]
    with np.errstate(invalid="ignore"):
        right, there, named = np.diag(matrix), matrix.sum(axis=1), matrix.sum(axis=0)
        precision, recall, f1 = right / named, right / there, 2 * right / (there + named)
    for place, name in enumerate(classes):
        numbers = (precision[place], recall[place], f1[place], areas[place])
        shown = "  ".join(f"{'-' if np.isnan(value) else format(value, '.4f'):>6}" for value in numbers)
        lines.append(f"{name:{width}}  {there[place]:6,}     {shown}")
    return lines
