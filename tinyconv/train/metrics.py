"""Dice and IoU: how well a predicted mask and the true one overlap.

With TP the pixels that are in both, FP those only in the prediction and FN those only in the
truth, Dice = 2 TP / (2 TP + FP + FN) and IoU = TP / (TP + FP + FN). Where neither mask has a
pixel both are 1: nothing was there, and nothing was found.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tinyconv.errors import ArgumentError, ShapeError

Array = Any


@dataclass(frozen=True)
class Counts:
    """Pixels of each kind; counts of several images may be added.

    The Dice of summed counts weighs each pixel alike, the mean of the images' Dice each image.

    Examples
    --------
    >>> (Counts(3, 1, 0) + Counts(0, 0, 2)).dice
    0.6666666666666666
    """

    true_positive: int = 0
    false_positive: int = 0
    false_negative: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.true_positive + other.true_positive,
            self.false_positive + other.false_positive,
            self.false_negative + other.false_negative,
        )

    @property
    def dice(self) -> float:
        """2 TP / (2 TP + FP + FN); 1 if all are 0."""
        total = 2 * self.true_positive + self.false_positive + self.false_negative
        return 2 * self.true_positive / total if total else 1.0

    @property
    def iou(self) -> float:
        """TP / (TP + FP + FN); 1 if all are 0."""
        total = self.true_positive + self.false_positive + self.false_negative
        return self.true_positive / total if total else 1.0


def count(probability: Array, mask: Array, threshold: float = 0.5) -> Counts:
    """Count the pixels of two arrays of one shape, all dimensions together.

    Parameters
    ----------
    probability : array, any shape
        A pixel is found where it reaches `threshold`.
    mask : array of the same shape
        A pixel is there where it is at least 0.5.
    threshold : float

    Raises
    ------
    ShapeError
        If the shapes differ.
    ArgumentError
        If a probability is NaN.
    """
    probability, mask = np.asarray(probability), np.asarray(mask)
    if probability.shape != mask.shape:
        raise ShapeError("count", "mask", f"of shape {mask.shape}", f"{probability.shape}")
    if probability.dtype.kind == "f" and np.isnan(probability).any():
        raise ArgumentError("count", "probability", "NaN somewhere", "numbers")
    found, there = probability >= threshold, mask >= 0.5
    both = int(np.count_nonzero(found & there))
    return Counts(both, int(np.count_nonzero(found)) - both, int(np.count_nonzero(there)) - both)


def dice(probability: Array, mask: Array, threshold: float = 0.5) -> Array:
    """Dice of each image of a batch, see `count`.

    Parameters
    ----------
    probability, mask : array (N, ...)

    Returns
    -------
    array (N,), float64

    Examples
    --------
    >>> dice([[0.9, 0.8, 0.1], [0.0, 0.2, 0.4]], [[1, 0, 0], [0, 0, 0]]).round(3).tolist()
    [0.667, 1.0]
    """
    return np.array([counts.dice for counts in _per_image(probability, mask, threshold)])


def iou(probability: Array, mask: Array, threshold: float = 0.5) -> Array:
    """Intersection over union (the Jaccard index) of each image of a batch, see `dice`."""
    return np.array([counts.iou for counts in _per_image(probability, mask, threshold)])


def _per_image(probability: Array, mask: Array, threshold: float) -> list[Counts]:
    probability, mask = np.asarray(probability), np.asarray(mask)
    if probability.ndim == 0 or probability.shape != mask.shape:
        raise ShapeError("dice", "mask", f"of shape {mask.shape}", f"(N, ...), as the {probability.shape}")
    return [count(p, m, threshold) for p, m in zip(probability, mask, strict=True)]
