"""What the classifier of a finished run says of images."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tinyconv.data import read_image
from tinyconv.data.classification import ClassificationData
from tinyconv.errors import DataError, TinyconvError
from tinyconv.io import storage_error, write_whole
from tinyconv.nn import Module
from tinyconv.train.class_config import ClassConfig
from tinyconv.train.class_evaluate import score

Array = Any


@dataclass(frozen=True)
class Answer:
    """What became of one image: its probabilities (classes,), or an error."""

    image: Path
    probabilities: Array = None
    error: TinyconvError | None = None

    def text(self, classes: list[str], most: int = 3) -> str:
        """The likeliest classes with their probabilities."""
        order = np.argsort(-self.probabilities, kind="stable")[:most]
        return ", ".join(f"{classes[place]} {100 * self.probabilities[place]:.1f} %" for place in order)


def classify_files(model: Module, config: ClassConfig, images: Iterable[Path]) -> Iterator[Answer]:
    """Name each image, prepared as in training; one that cannot be read gives an Answer with an error."""
    for path in images:
        try:
            image = read_image(path)
            ready = ClassificationData([(image, 0)], config.shape, config.mean, config.std)
            yield Answer(path, score(model, ready).probabilities[0])
        except DataError as error:
            yield Answer(path, error=error)


def write_answers(answers: list[Answer], classes: list[str], folder: Path) -> Path:
    """Write answers.csv: a line for each image, with its class and the probability of each.

    Raises
    ------
    StorageError
        If it cannot be written.
    """
    content = io.StringIO()
    lines = csv.writer(content, lineterminator="\n")
    lines.writerow(["image", "class", *classes])
    for answer in answers:
        if answer.error is None:
            numbers = [f"{value:.6f}" for value in answer.probabilities]
            lines.writerow([str(answer.image), classes[int(np.argmax(answer.probabilities))], *numbers])
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise storage_error(folder, error) from error
    return write_whole(folder / "answers.csv", content.getvalue().encode())
