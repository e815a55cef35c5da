"""Is the right class the first, or among the first: accuracy, confusion, area under the ROC curve."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyconv.errors import ArgumentError, ShapeError
from tinyconv.metrics._checks import labels, not_empty, numbers, same_shape, whole

Array = Any


def accuracy(scores: Array, targets: Array) -> float:
    """The share of the items whose true class has the highest score; of equal scores the first counts.

    Parameters
    ----------
    scores : array (N, C)
        Any scores that grow with the belief in a class: probabilities, logits.
    targets : integer array (N,)

    Raises
    ------
    ShapeError
        If the shapes do not fit, or nothing is there.
    ArgumentError
        If a score is NaN or a target is no class.

    Examples
    --------
    >>> accuracy([[0.1, 0.9], [0.6, 0.4], [0.5, 0.5]], [1, 1, 0])
    0.6666666666666666
    """
    return _share_among("accuracy", scores, targets, 1)


def top_k_accuracy(scores: Array, targets: Array, k: int = 5) -> float:
    """The share of the items whose true class is among the `k` with the highest scores.

    Of equal scores that of the lower class stands first, as in `numpy.argmax`. One minus this is
    the "top-5 error" of the ImageNet challenge (Russakovsky et al. 2015).

    Parameters
    ----------
    scores : array (N, C)
    targets : integer array (N,)
    k : int
        From 1 to C.

    Examples
    --------
    >>> top_k_accuracy([[0.5, 0.3, 0.2], [0.5, 0.3, 0.2]], [1, 2], k=2)
    0.5
    """
    return _share_among("top_k_accuracy", scores, targets, k)


def _share_among(where: str, scores: Array, targets: Array, k: int) -> float:
    """`top_k_accuracy`; `where` is who asks, for errors."""
    scores, targets = _scored(where, scores, targets)
    k = whole(where, "k", k, 1, scores.shape[1])
    own = np.take_along_axis(scores, targets[:, None], axis=1)
    before = np.arange(scores.shape[1]) < targets[:, None]
    rank = np.count_nonzero((scores > own) | ((scores == own) & before), axis=1)
    return float(np.mean(rank < k))


def confusion_matrix(predicted: Array, targets: Array, classes: int) -> Array:
    """How often each class was taken for each: rows are the true classes, columns the predicted.

    Parameters
    ----------
    predicted, targets : integer arrays of one shape
        Labels from 0 to ``classes - 1``, of items or of pixels.
    classes : int

    Returns
    -------
    array (classes, classes), int64

    Examples
    --------
    >>> confusion_matrix([0, 1, 1, 1], [0, 0, 1, 1], classes=2).tolist()
    [[1, 1], [0, 2]]
    """
    classes = whole("confusion_matrix", "classes", classes, 1)
    predicted = labels("confusion_matrix", "predicted", predicted, classes)
    targets = labels("confusion_matrix", "targets", targets, classes)
    same_shape("confusion_matrix", predicted, "targets", targets)
    pairs = targets.ravel() * classes + predicted.ravel()
    return np.bincount(pairs, minlength=classes * classes).reshape(classes, classes)


def roc_auc(scores: Array, targets: Array) -> Array:
    """The area under the ROC curve: how often a positive item scores above a negative one.

    Over all pairs of a positive and a negative item, the share in which the positive one has the
    higher score; equal scores count one half. This is the Mann-Whitney statistic U divided by the
    number of pairs, and the area under the curve of sensitivity over 1 − specificity (Hanley and
    McNeil 1982).

    Parameters
    ----------
    scores : array (N,), or (N, C) for C classes
    targets : array (N,)
        0 and 1; with (N, C) scores, the class of each item.

    Returns
    -------
    float, or array (C,) with each class against all others
        NaN where there is no positive or no negative item.

    Examples
    --------
    >>> roc_auc([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1])
    0.75
    """
    array = numbers("roc_auc", "scores", scores)
    if array.ndim == 2:
        array, targets = _scored("roc_auc", array, targets)
        return np.array([_area(array[:, c], targets == c) for c in range(array.shape[1])])
    targets = labels("roc_auc", "targets", targets, 2)
    if array.ndim != 1:
        raise ShapeError("roc_auc", "scores", f"of shape {array.shape}", "(N,) or (N, C)")
    same_shape("roc_auc", array, "targets", targets)
    _refuse_nan("roc_auc", array)
    return _area(array, targets == 1)


def _area(scores: Array, positive: Array) -> float:
    """U of the positive items over the number of pairs, from the ranks of all."""
    from scipy.stats import rankdata

    count = int(np.count_nonzero(positive))
    others = len(positive) - count
    if count == 0 or others == 0:
        return float("nan")
    ranks = rankdata(scores)
    return float((ranks[positive].sum() - count * (count + 1) / 2) / (count * others))


def _scored(where: str, scores: Array, targets: Array) -> tuple[Array, Array]:
    scores = numbers(where, "scores", scores)
    if scores.ndim != 2:
        raise ShapeError(where, "scores", f"of shape {scores.shape}", "(N, C)")
    not_empty(where, "scores", scores)
    targets = labels(where, "targets", targets, scores.shape[1])
    if targets.shape != scores.shape[:1]:
        raise ShapeError(where, "targets", f"of shape {targets.shape}", f"{scores.shape[:1]}")
    _refuse_nan(where, scores)
    return scores, targets


def _refuse_nan(where: str, scores: Array) -> None:
    if np.isnan(scores).any():
        raise ArgumentError(where, "scores", "NaN somewhere", "numbers")
