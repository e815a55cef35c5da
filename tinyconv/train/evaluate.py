"""Segment whole images with a model, and score the result."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinyconv.data import SegmentationData
from tinyconv.data.dataset import item_name
from tinyconv.metrics import Counts, count, count_classes
from tinyconv.nn import functional as F
from tinyconv.tensor import Tensor
from tinyconv.train.losses import bce_dice_loss
from tinyconv.train.mask_loss import one_hot
from tinyconv.train.segmenter import Segmenter

Array = Any

LEAST = 1e-12


@dataclass(frozen=True)
class Result:
    """How well one image was segmented.

    An image in which nothing is and nothing was found has a Dice and an IoU of 1 here: it is a right
    answer, and leaving it out would make an empty image that is answered wrongly the only one to count.
    """

    index: int
    name: str
    counts: Counts
    loss: float

    @property
    def dice(self) -> float:
        """The image's Dice; the mean of those of its masks, or of its classes but the background."""
        return _mean_or_one(self.counts.dice)

    @property
    def iou(self) -> float:
        """The image's intersection over union, as `dice`."""
        return _mean_or_one(self.counts.iou)


def evaluate(
    segmenter: Segmenter, data: SegmentationData, stopping: Callable[[], bool] = lambda: False
) -> Iterator[Result]:
    """Segment each image at the size it has; ends early if `stopping` says so.

    The counts of a result are arrays with a place for each mask, or each class but the background.
    """
    for index in range(len(data)):
        if stopping():
            return
        image, mask = data[index]
        probability = segmenter(image)
        counts, loss = score(probability, mask, segmenter.exclusive)
        yield Result(index, item_name(data, index), counts, loss)


def score(probability: Array, mask: Array, exclusive: bool) -> tuple[Counts, float]:
    """Counts of each mask, or class but the background, and the loss: cross-entropy plus Dice loss.

    Parameters
    ----------
    probability : array (K, \\*sides)
    mask : array (K, \\*sides), or (1, \\*sides) of class numbers
    exclusive : bool
    """
    if not exclusive:
        loss = bce_dice_loss(Tensor(probability[None]), Tensor(mask[None])).item()
        counted = [count(p, m) for p, m in zip(probability, mask, strict=True)]
        fields = ("true_positive", "false_positive", "false_negative")
        return Counts(*(np.array([getattr(c, field) for c in counted]) for field in fields)), loss
    labels = np.rint(mask[:1]).astype(np.int64)
    classes = len(probability)
    own = np.take_along_axis(probability, labels, axis=0)
    entropy = float(-np.log(np.maximum(own, LEAST)).mean(dtype=np.float64))
    overlap = F.dice_loss(Tensor(probability[None]), one_hot(labels, classes)).item()
    all_counts = count_classes(probability.argmax(axis=0)[None], labels, classes)
    return Counts(*(part[0, 1:] for part in vars(all_counts).values())), entropy + overlap


def _mean_or_one(values: Array) -> float:
    there = values[~np.isnan(values)]
    return float(there.mean()) if len(there) else 1.0


def summarize(results: list[Result]) -> dict[str, float]:
    """The means of the images' loss, Dice and IoU, and the Dice of all their pixels together.

    Where there are several masks or classes, the last is the mean of theirs.
    """
    counts = sum((result.counts for result in results), Counts())
    return {
        "held_out_loss": float(np.mean([result.loss for result in results])),
        "held_out_dice": float(np.mean([result.dice for result in results])),
        "held_out_iou": float(np.mean([result.iou for result in results])),
        "held_out_dice_pooled": _mean_or_one(np.atleast_1d(counts.dice)),
    }


def spread(scored: list[dict[str, Any]], wanted: int = 4) -> list[dict[str, Any]]:
    """A few of the images from the best to the worst ``dice``, at even distances in rank."""
    ranked = sorted(scored, key=lambda entry: -entry["dice"])
    places = np.linspace(0, len(ranked) - 1, min(wanted, len(ranked))).round().astype(int)
    return [ranked[place] for place in places]
