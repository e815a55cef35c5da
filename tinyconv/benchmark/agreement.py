"""Do two contenders compute the same?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from tinyconv.benchmark.case import BACKWARD, FORWARD, INFERENCE, TRAINING

Array = Any

TOLERANCES = {FORWARD: 1e-4, BACKWARD: 1e-4, INFERENCE: 1e-3, TRAINING: 3e-2}
"""Largest relative difference of two right results, by task.

A layer adds up to half a million float32 products in an order of its own, or by Winograd's
algorithm. In a network, ReLU and max pooling decide by the last digits where two numbers are
nearly equal; a single decision shows in few weights but there at once. So gradients of a training
step are compared as vectors: two right ones of ResNet-18 lie 1e-2 apart, PyTorch's in its two
memory orders too.
"""

LOSS_TOLERANCE = 1e-4
"""The loss is a mean over many decisions."""


ROUNDINGS = {FORWARD: 4, BACKWARD: 4, INFERENCE: 16, TRAINING: 64}
"""So many roundings of the factors to fewer bits, in the same direction, are allowed for."""


def disagreement(
    results: Mapping[str, Array], standard: Mapping[str, Array], task: str, rounding: float = 0.0
) -> str:
    """What is wrong with `results`, in a few words; an empty string if they agree with `standard`.

    `rounding` is the largest relative error of one factor where products are not those of float32:
    2**-11 of TF32, 2**-8 of bfloat16.

    Examples
    --------
    >>> right = {"output": np.array([1.0, 2.0])}
    >>> disagreement({"output": np.array([1.0, 2.0001])}, right, "forward")
    ''
    >>> disagreement({"output": np.array([1.0, 2.1])}, right, "forward")
    'output is off by 5.0e-02 (allowed: 1e-04)'
    """
    for name, expected in standard.items():
        if name not in results:
            return f"{name} is missing"
        if results[name].shape != expected.shape:
            return f"{name} has the shape {results[name].shape}, not {expected.shape}"
        tolerance = LOSS_TOLERANCE if name == "loss" else TOLERANCES[task]
        tolerance = max(tolerance, ROUNDINGS[task] * rounding)
        distance = euclidean_distance if task == TRAINING else largest_difference
        off = distance(results[name], expected)
        if not off <= tolerance:  # not a number is no agreement
            return f"{name} is off by {off:.1e} (allowed: {tolerance:.0e})"
    return ""


def largest_difference(values: Array, expected: Array) -> float:
    """Largest difference of two elements, relative to the largest magnitude in `expected`."""
    difference = np.abs(np.subtract(values, expected, dtype=np.float64)).max(initial=0.0)
    return _relative(float(difference), float(np.abs(expected).max(initial=0.0)))


def euclidean_distance(values: Array, expected: Array) -> float:
    """Distance of two arrays as vectors, relative to the length of `expected`."""
    difference = np.subtract(values, expected, dtype=np.float64).ravel()
    length = np.linalg.norm(np.asarray(expected, np.float64).ravel())
    return _relative(float(np.linalg.norm(difference)), float(length))


def _relative(difference: float, scale: float) -> float:
    if scale == 0.0:
        return 0.0 if difference == 0.0 else float("inf")
    return difference / scale
