"""Were the single objects found: matches by overlap, F1, and the score of the 2018 Data Science Bowl.

An image of labels has 0 where nothing is and k in the k-th object.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tinyconv.errors import ArgumentError, ShapeError
from tinyconv.metrics._checks import labels, mask, same_shape, whole

Array = Any

THRESHOLDS = tuple(round(0.5 + 0.05 * step, 2) for step in range(10))
"""0.5, 0.55, …, 0.95, at which the Data Science Bowl counted."""


@dataclass(frozen=True)
class Matches:
    """How many objects were found, and how many were not; of several images they may be added.

    Examples
    --------
    >>> matches = Matches(found=3, extra=1, missed=0) + Matches(1, 0, 3)
    >>> matches.f1, matches.precision
    (0.6666666666666666, 0.5)
    """

    found: int = 0
    extra: int = 0
    missed: int = 0

    def __add__(self, other: Matches) -> Matches:
        return Matches(self.found + other.found, self.extra + other.extra, self.missed + other.missed)

    @property
    def f1(self) -> float:
        """2 TP / (2 TP + FP + FN); NaN if no object is there and none was predicted."""
        total = 2 * self.found + self.extra + self.missed
        return 2 * self.found / total if total else float("nan")

    @property
    def precision(self) -> float:
        """TP / (TP + FP + FN), what the Data Science Bowl calls precision; NaN if all are 0."""
        total = self.found + self.extra + self.missed
        return self.found / total if total else float("nan")


def match_instances(predicted: Array, target: Array, threshold: float = 0.5) -> Matches:
    """Count the objects whose IoU with a predicted one is above `threshold`.

    From 0.5 on an object can have only one such partner, so that nothing has to be chosen
    (Caicedo et al. 2019, "Nucleus segmentation across imaging experiments").

    Parameters
    ----------
    predicted, target : integer arrays of one shape
        Labels; which numbers they are, and in which order, does not matter.
    threshold : float
        From 0.5 to below 1; an IoU must be above it.

    Raises
    ------
    ShapeError, DtypeError, ArgumentError
        If the shapes differ, the labels are no integers from 0, or the threshold is out of range.

    Examples
    --------
    >>> match_instances([[1, 1, 1, 0, 2]], [[7, 7, 0, 3, 3]])
    Matches(found=1, extra=1, missed=1)
    """
    if not isinstance(threshold, int | float | np.number) or not 0.5 <= threshold < 1:
        raise ArgumentError("match_instances", "threshold", repr(threshold), "from 0.5 to below 1")
    return _count(*_overlaps("match_instances", predicted, target), float(threshold))


def dsb2018_score(predicted: Array, target: Array) -> float:
    """The score of one image in the 2018 Data Science Bowl; a data set's is the mean of its images'.

    The mean over the IoU thresholds t = 0.5, 0.55, …, 0.95 of TP(t) / (TP(t) + FP(t) + FN(t)), with
    the counts of `match_instances` (Caicedo et al. 2019, "Nucleus segmentation across imaging
    experiments: the 2018 Data Science Bowl").

    Parameters
    ----------
    predicted, target : integer arrays of one shape
        Labels.

    Returns
    -------
    float
        NaN if no object is there and none was predicted.

    Examples
    --------
    >>> dsb2018_score([[1, 1, 1, 0]], [[1, 1, 1, 1]])
    0.5
    """
    pairs, extra, there = _overlaps("dsb2018_score", predicted, target)
    return float(np.mean([_count(pairs, extra, there, threshold).precision for threshold in THRESHOLDS]))


def connected_components(mask_array: Array, connectivity: int = 1) -> Array:
    """Number the connected parts of a mask: the simplest way from a mask to objects.

    Parameters
    ----------
    mask_array : array of 0 and 1
    connectivity : int
        Along so many dimensions may two neighbours differ: 1 is side to side only, ``ndim`` corners too.

    Returns
    -------
    array of the same shape, int32
        In the order in which the parts begin.

    Examples
    --------
    >>> connected_components([[1, 0, 1], [1, 0, 0]]).tolist()
    [[1, 0, 2], [1, 0, 0]]
    """
    from scipy.ndimage import generate_binary_structure, label

    array = mask("connected_components", "mask_array", mask_array)
    if array.ndim == 0:
        raise ShapeError("connected_components", "mask_array", "of shape ()", "at least one dimension")
    reach = whole("connected_components", "connectivity", connectivity, 1, array.ndim)
    return label(array, generate_binary_structure(array.ndim, reach))[0].astype(np.int32)


def _overlaps(where: str, predicted: Array, target: Array) -> tuple[Array, int, int]:
    """The IoU of all pairs of objects that touch, and the number of objects of each side."""
    predicted, target = labels(where, "predicted", predicted), labels(where, "target", target)
    same_shape(where, predicted, "target", target)
    found, first, first_sizes = _from_one(predicted)
    there, second, second_sizes = _from_one(target)
    touching = (first > 0) & (second > 0)
    pairs, shared = np.unique(first[touching] * (there + 1) + second[touching], return_counts=True)
    union = first_sizes[pairs // (there + 1)] + second_sizes[pairs % (there + 1)] - shared
    return shared / union, found, there


def _from_one(array: Array) -> tuple[int, Array, Array]:
    """How many objects; the labels as 0, 1, 2, … without gaps, in one dimension; the pixels of each."""
    names, places, sizes = np.unique(np.append(array, 0), return_inverse=True, return_counts=True)
    return len(names) - 1, places[:-1], sizes


def _count(ious: Array, found: int, there: int, threshold: float) -> Matches:
    both = int(np.count_nonzero(ious > threshold))
    return Matches(both, found - both, there - both)
