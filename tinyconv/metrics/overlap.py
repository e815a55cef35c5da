"""Dice and IoU: how well a predicted mask and the true one overlap.

With TP the pixels that are in both, FP those only in the prediction and FN those only in the truth,
Dice = 2 TP / (2 TP + FP + FN) (Dice 1945) and IoU = TP / (TP + FP + FN) (Jaccard 1912). Where neither
mask has a pixel both are NaN: nothing was there and nothing was found, which says nothing about the
overlap and must not enter a mean. Where only one of them has, both are 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tinyconv.errors import ArgumentError, ShapeError
from tinyconv.metrics._checks import labels, numbers, same_shape, whole

Array = Any


@dataclass(frozen=True)
class Counts:
    """Pixels of each kind: three whole numbers, or three arrays of them; counts may be added.

    The Dice of summed counts weighs each pixel alike, the mean of the images' Dice each image.

    Examples
    --------
    >>> (Counts(3, 1, 0) + Counts(0, 0, 2)).dice
    0.6666666666666666
    """

    true_positive: Any = 0
    false_positive: Any = 0
    false_negative: Any = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.true_positive + other.true_positive,
            self.false_positive + other.false_positive,
            self.false_negative + other.false_negative,
        )

    def sum(self, axis: int = 0) -> Counts:
        """The counts summed along a dimension, e.g. over the images of a set."""
        parts = (self.true_positive, self.false_positive, self.false_negative)
        if any(np.ndim(part) == 0 for part in parts):
            raise ShapeError("Counts.sum", "the counts", "single numbers", "arrays")
        return Counts(*(part.sum(axis) for part in parts))

    @property
    def dice(self) -> Any:
        """2 TP / (2 TP + FP + FN); NaN where all are 0."""
        return _share(2 * self.true_positive, self.false_positive + self.false_negative)

    @property
    def iou(self) -> Any:
        """TP / (TP + FP + FN); NaN where all are 0."""
        return _share(self.true_positive, self.false_positive + self.false_negative)


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
        If a number is NaN.
    """
    return _count(*_pair("count", probability, mask), threshold)


def dice(probability: Array, mask: Array, threshold: float = 0.5) -> Array:
    """Dice of each image of a batch, see `count`.

    Parameters
    ----------
    probability, mask : array (N, ...)

    Returns
    -------
    array (N,), float64
        NaN where nothing is there and nothing was found.

    Examples
    --------
    >>> dice([[0.9, 0.8, 0.1], [0.0, 0.2, 0.6]], [[1, 0, 0], [0, 0, 0]]).round(3).tolist()
    [0.667, 0.0]
    """
    return np.array([counts.dice for counts in _per_image("dice", probability, mask, threshold)])


def iou(probability: Array, mask: Array, threshold: float = 0.5) -> Array:
    """Intersection over union (the Jaccard index) of each image of a batch, see `dice`."""
    return np.array([counts.iou for counts in _per_image("iou", probability, mask, threshold)])


def count_classes(predicted: Array, target: Array, classes: int, ignore: int | None = None) -> Counts:
    """Count the pixels of each class in each image of a batch.

    Parameters
    ----------
    predicted, target : integer arrays (N, ...)
        Labels from 0 to ``classes - 1``; `ignore` too in `target`.
    classes : int
        The background included.
    ignore : int, optional
        Pixels with this true label are left out.

    Returns
    -------
    Counts of arrays (N, classes)
        ``.dice`` is per image and class, ``.sum().dice`` that of each class over the whole set, and
        ``numpy.nanmean(….dice, axis=0)`` the mean over the images that have the class.

    Raises
    ------
    ShapeError, DtypeError, ArgumentError
        If the shapes differ, or labels are not whole numbers in range.

    Examples
    --------
    >>> counts = count_classes([[0, 1, 1], [0, 0, 0]], [[0, 0, 1], [0, 0, 0]], classes=2)
    >>> counts.dice.round(3).tolist()
    [[0.667, 0.667], [1.0, nan]]
    """
    classes = whole("count_classes", "classes", classes, 1)
    predicted = labels("count_classes", "predicted", predicted, classes)
    target = numbers("count_classes", "target", target)
    same_shape("count_classes", predicted, "target", target)
    kept = np.ones(target.shape, bool) if ignore is None else target != ignore
    target = labels("count_classes", "target", np.where(kept, target, 0), classes)
    if predicted.ndim == 0:
        raise ShapeError("count_classes", "predicted", "of shape ()", "(N, ...)")
    own = np.zeros((3, len(predicted), classes), np.int64)
    for image, (found, there, use) in enumerate(zip(predicted, target, kept, strict=True)):
        parts = (found[use & (found == there)], found[use], there[use])
        own[:, image] = [np.bincount(part.ravel(), minlength=classes) for part in parts]
    return Counts(own[0], own[1] - own[0], own[2] - own[0])


def _per_image(where: str, probability: Array, mask: Array, threshold: float) -> list[Counts]:
    probability, mask = _pair(where, probability, mask)
    if probability.ndim == 0:
        raise ShapeError(where, "probability", "of shape ()", "(N, ...)")
    return [_count(p, m, threshold) for p, m in zip(probability, mask, strict=True)]


def _pair(where: str, probability: Array, mask: Array) -> tuple[Array, Array]:
    probability, mask = numbers(where, "probability", probability), numbers(where, "mask", mask)
    same_shape(where, probability, "mask", mask)
    for name, array in (("probability", probability), ("mask", mask)):
        if array.dtype.kind == "f" and np.isnan(array).any():
            raise ArgumentError(where, name, "NaN somewhere", "numbers")
    return probability, mask


def _count(probability: Array, mask: Array, threshold: float) -> Counts:
    found, there = probability >= threshold, mask >= 0.5
    both = int(np.count_nonzero(found & there))
    return Counts(both, int(np.count_nonzero(found)) - both, int(np.count_nonzero(there)) - both)


def _share(part: Any, rest: Any) -> Any:
    """part / (part + rest); NaN where both are 0."""
    total = np.asarray(part + rest, np.float64)
    share = np.divide(part, total, out=np.full(total.shape, np.nan), where=total > 0)
    return float(share) if share.ndim == 0 else share
