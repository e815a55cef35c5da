"""Do two contenders compute the same?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

Array = Any

TOLERANCES = {"forward": 1e-4, "backward": 1e-4, "inference": 1e-3, "training step": 1e-2}
"""Largest difference of two right results, by task, relative to the largest number of the array.

A layer adds up to half a million float32 products in an order of its own, or by Winograd's
algorithm. A network puts such layers in a row, and where two neighbours of a pooling window are
nearly equal, the gradient takes the one way or the other.
"""


def disagreement(results: Mapping[str, Array], standard: Mapping[str, Array], tolerance: float) -> str:
    """What is wrong with `results`, in a few words; an empty string if they agree with `standard`.

    Examples
    --------
    >>> right = {"output": np.array([1.0, 2.0])}
    >>> disagreement({"output": np.array([1.0, 2.0001])}, right, 1e-3)
    ''
    >>> disagreement({"output": np.array([1.0, 2.1])}, right, 1e-3)
    'output is off by 5.0e-02 of its largest number (allowed: 1e-03)'
    """
    worst, where = 0.0, ""
    for name, expected in standard.items():
        if name not in results:
            return f"{name} is missing"
        if results[name].shape != expected.shape:
            return f"{name} has the shape {results[name].shape}, not {expected.shape}"
        difference = relative_difference(results[name], expected)
        if not difference <= worst:  # not a number counts as the worst
            worst, where = difference, name
    if worst <= tolerance:
        return ""
    return f"{where} is off by {worst:.1e} of its largest number (allowed: {tolerance:.0e})"


def relative_difference(values: Array, expected: Array) -> float:
    """Largest difference, relative to the largest magnitude in `expected`."""
    scale = float(np.abs(expected).max(initial=0.0))
    difference = float(np.abs(np.subtract(values, expected, dtype=np.float64)).max(initial=0.0))
    if scale == 0.0:
        return 0.0 if difference == 0.0 else float("inf")
    return difference / scale
