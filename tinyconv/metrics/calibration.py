"""Is a network right as often as it says: the expected calibration error."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tinyconv.errors import ArgumentError, ShapeError
from tinyconv.metrics._checks import finite, labels, not_empty, whole

Array = Any


@dataclass(frozen=True)
class Reliability:
    """What a reliability diagram shows: one entry per bin of the confidence.

    Attributes
    ----------
    edges : array (bins + 1,)
        Bin m holds the confidences above ``edges[m]`` and up to ``edges[m + 1]``; 0 is in the first.
    counts : integer array (bins,)
    confidence, accuracy : array (bins,)
        The bin's mean confidence and share of right answers; NaN where nothing is in it.
    """

    edges: Array
    counts: Array
    confidence: Array
    accuracy: Array


def reliability(probabilities: Array, targets: Array, bins: int = 15) -> Reliability:
    """Group the items by the confidence of the answer, the highest of their probabilities.

    Parameters
    ----------
    probabilities : array (N, C)
        From 0 to 1; each row adds up to 1.
    targets : integer array (N,)
    bins : int
        Of equal width, from 0 to 1.

    Raises
    ------
    ArgumentError
        If the probabilities are none, e.g. logits.
    """
    probabilities = finite("reliability", "probabilities", probabilities)
    bins = whole("reliability", "bins", bins, 1)
    if probabilities.ndim != 2:
        raise ShapeError("reliability", "probabilities", f"of shape {probabilities.shape}", "(N, C)")
    not_empty("reliability", "probabilities", probabilities)
    targets = labels("reliability", "targets", targets, probabilities.shape[1])
    if targets.shape != probabilities.shape[:1]:
        raise ShapeError("reliability", "targets", f"of shape {targets.shape}", f"{probabilities.shape[:1]}")
    if (probabilities < 0).any() or (abs(probabilities.sum(axis=1) - 1) > 1e-3).any():
        found = "with numbers below 0, or rows that do not add up to 1"
        raise ArgumentError("reliability", "probabilities", found, "probabilities, e.g. softmax(logits)")
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == targets
    edges = np.linspace(0, 1, bins + 1)
    place = np.clip(np.searchsorted(edges, confidence, side="left") - 1, 0, bins - 1)
    counts = np.bincount(place, minlength=bins)
    some = np.where(counts, counts, np.nan)
    return Reliability(
        edges,
        counts,
        np.bincount(place, confidence, minlength=bins) / some,
        np.bincount(place, right, minlength=bins) / some,
    )


def expected_calibration_error(probabilities: Array, targets: Array, bins: int = 15) -> float:
    """The mean gap between confidence and accuracy, over bins of equal width.

    ECE = Σ_m (n_m / N) |accuracy_m − confidence_m|, with the bins of `reliability` (Naeini et al.
    2015; Guo et al. 2017, whose 15 bins are the default). 0 is perfect.

    Parameters
    ----------
    probabilities : array (N, C)
    targets : integer array (N,)
    bins : int

    Examples
    --------
    >>> expected_calibration_error([[0.75, 0.25]] * 4, [0, 0, 0, 1])
    0.0
    >>> expected_calibration_error([[1.0, 0.0]] * 4, [0, 0, 0, 1])
    0.25
    """
    bins_of = reliability(probabilities, targets, bins)
    gaps = np.nan_to_num(abs(bins_of.accuracy - bins_of.confidence))
    return float((bins_of.counts * gaps).sum() / bins_of.counts.sum())
