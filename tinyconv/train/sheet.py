"""Sheets of images with their truth, what was found, and the errors; of volumes, one slice each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tinyconv import viz
from tinyconv.train.segmenter import Segmenter, labels_of

Array = Any


@dataclass(frozen=True)
class Row:
    """An image (C, H, W), and what is there and was found: (H, W), labels, or probabilities of one mask."""

    image: Array
    truth: Array
    found: Array


def row_of(segmenter: Segmenter, image: Array, mask: Array) -> Row:
    """Ask the network; of a volume the slice with the most errors is shown."""
    probability = segmenter(image)
    truth, found = labels_of(mask, segmenter.exclusive), segmenter.labels(probability)
    shown: Array = probability[0] if len(probability) == 1 else found
    if truth.ndim == 3:
        place = worst_slice(truth, found)
        image, truth, shown = image[:, place], truth[place], shown[place]
    return Row(image, truth, shown)


def worst_slice(truth: Array, found: Array) -> int:
    """The slice of two volumes of labels (D, H, W) in which most voxels differ; if none, the fullest."""
    differ = (truth != found).sum(axis=(1, 2))
    return int(np.argmax(differ if differ.any() else (truth != 0).sum(axis=(1, 2))))


def draw_rows(rows: list[Row], path: Path, scores: list[float], names: Sequence[str] | None) -> None:
    """Draw image, truth, prediction and error of each; `names` are those of the labels from 1 on, if many."""
    viz.segmentation_sheet(
        [row.image for row in rows],
        [row.truth for row in rows],
        [row.found for row in rows],
        path,
        scores,
        names,
    )


def label_names(config: Any) -> list[str] | None:
    """The names of the labels from 1 on; None if there is one mask."""
    names = config.names[1:] if config.exclusive else config.names
    return names if len(config.names) > 1 else None
