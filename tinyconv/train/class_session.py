"""One training session of a classifier."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyconv import viz
from tinyconv.data import BalancedSampler, DataLoader
from tinyconv.device import get_default_device
from tinyconv.generator import Generator
from tinyconv.metrics import confusion_matrix
from tinyconv.nn import functional as F
from tinyconv.tensor import Tensor
from tinyconv.train.callback import Scores
from tinyconv.train.class_evaluate import Scored, score, worst
from tinyconv.train.class_recipe import Parts, describe, label_of
from tinyconv.train.folder import CONFUSION, SAMPLES
from tinyconv.train.session import Session

LISTED = 200
"""Of the wrong answers, at most so many are named in held_out.json."""


class ClassLoss:
    """Cross-entropy, classes weighted or not, and the accuracy of the batch it was last asked about."""

    def __init__(self, weights: list[float] | None = None) -> None:
        self.accuracy = float("nan")
        self.weights = None if weights is None else Tensor(np.array(weights, np.float32))

    def __call__(self, output: Tensor, target: Tensor) -> Tensor:
        self.accuracy = float((output.array.argmax(axis=1) == target.array).mean())
        weight = None if self.weights is None else self.weights.to(output.device)
        return F.cross_entropy(output, target, weight=weight)


class ClassSession(Session):
    """Begin a run that trains a classifier, or go on with it from its last checkpoint."""

    quantity = "accuracy"
    num_workers = 0

    def _take(self, data: Parts) -> Any:
        self.held_out, self.test = data.held_out, data.test
        print(describe(self.folder.config, len(data.training), len(data.held_out)), flush=True)
        return data.training

    def _loader(self, training: Any) -> DataLoader:
        config = self.folder.config
        if not config.balanced:
            return super()._loader(training)
        labels = [label_of(training, index) for index in range(len(training))]
        sampler = BalancedSampler(labels, generator=Generator().manual_seed(config.seed))
        pin = get_default_device() != "cpu"
        return DataLoader(training, config.batch_size, sampler=sampler, seed=config.seed, pin_memory=pin)

    def _make_loss(self) -> Any:
        return ClassLoss(self.folder.config.class_weights)

    def _measure(self) -> float:
        return self.loss.accuracy

    def _validate(self) -> Scores:
        scored = score(self.model, self.held_out, lambda: self.trainer.stopping)
        self.results = [scored]
        if self.trainer.stopping:
            return {}
        return {"held_out_accuracy": scored.accuracy, "held_out_loss": scored.loss}

    def _entries(self) -> list[dict[str, Any]]:
        """The wrong answers, the surest first."""
        scored: Scored = self.results[0]
        classes = self.folder.config.classes
        return [
            {
                "index": index,
                "name": self.held_out.name(index),
                "class": classes[scored.labels[index]],
                "answer": classes[scored.answers[index]],
                "probability": round(float(scored.confidence[index]), 4),
            }
            for index in worst(scored, LISTED)
        ]

    def _draw_samples(self) -> None:
        """The confusion matrix of the held-out images, and the surest of the wrong answers."""
        scored = score(self.model, self.held_out)
        classes = self.folder.config.classes
        matrix = confusion_matrix(scored.answers, scored.labels, len(classes))
        viz.plot_confusion(matrix, classes, self.folder.path / CONFUSION)
        draw_worst(self.held_out, scored, classes, self.folder.path / SAMPLES)

    def conclude(self, scores: dict[str, Any]) -> str:
        """Accuracies; that of the test is of the best checkpoint, which never saw it."""
        line = (
            f"held-out accuracy {scores['held_out_accuracy']:.4f} at the end, "
            f"best {scores['best_held_out_accuracy']:.4f} (step {scores['best_step']})"
        )
        if self.test is not None:
            line += f"; test accuracy {score(self.model, self.test).accuracy:.4f}"
        return line


def draw_worst(data: Any, scored: Scored, classes: list[str], path: Any, most: int = 24) -> None:
    """The surest of the wrong answers, or of all answers if none is wrong."""
    places = worst(scored, most) or np.argsort(scored.confidence)[:most].tolist()
    titles = [
        f"{classes[scored.labels[place]]}: {classes[scored.answers[place]]} {scored.confidence[place]:.0%}"
        for place in places
    ]
    images = [data[place][0] * data.std + data.mean for place in places]
    viz.titled_images(images, titles, path)
