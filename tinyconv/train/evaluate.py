"""Segment whole images with a model, and score the result."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinyconv.data import SegmentationData, predict_tiled
from tinyconv.data.dataset import item_name
from tinyconv.grad_mode import no_grad
from tinyconv.metrics import Counts, count
from tinyconv.nn import Module
from tinyconv.tensor import Tensor
from tinyconv.train.losses import bce_dice_loss

Array = Any

TILE, OVERLAP = 768, 64
"""Images up to this height and width are one tile; larger ones are cut, to bound the memory."""


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
        """The image's Dice."""
        return 1.0 if np.isnan(self.counts.dice) else self.counts.dice

    @property
    def iou(self) -> float:
        """The image's intersection over union."""
        return 1.0 if np.isnan(self.counts.iou) else self.counts.iou


def predict_image(model: Any, image: Array) -> Array:
    """Probabilities (H, W) of a normalised image (C, H, W) of any size."""

    def predict(tiles: Array) -> Array:
        with no_grad():
            return model(Tensor(tiles)).array

    model.eval()
    return predict_tiled(predict, image, TILE, OVERLAP, multiple=model.multiple, batch_size=1)


def evaluate(
    model: Module, data: SegmentationData, stopping: Callable[[], bool] = lambda: False
) -> Iterator[Result]:
    """Segment each image at the size it has; ends early if `stopping` says so."""
    for index in range(len(data)):
        if stopping():
            return
        image, mask = data[index]
        probability = predict_image(model, image)
        loss = bce_dice_loss(Tensor(probability[None, None]), Tensor(mask[None])).item()
        yield Result(index, item_name(data, index), count(probability, mask[0]), loss)


def summarize(results: list[Result]) -> dict[str, float]:
    """The means of the images' loss, Dice and IoU, and the Dice of all their pixels together."""
    counts = sum((result.counts for result in results), Counts())
    return {
        "held_out_loss": float(np.mean([result.loss for result in results])),
        "held_out_dice": float(np.mean([result.dice for result in results])),
        "held_out_iou": float(np.mean([result.iou for result in results])),
        "held_out_dice_pooled": 1.0 if np.isnan(counts.dice) else counts.dice,
    }


def spread(scored: list[dict[str, Any]], wanted: int = 4) -> list[dict[str, Any]]:
    """A few of the images from the best to the worst ``dice``, at even distances in rank."""
    ranked = sorted(scored, key=lambda entry: -entry["dice"])
    places = np.linspace(0, len(ranked) - 1, min(wanted, len(ranked))).round().astype(int)
    return [ranked[place] for place in places]
