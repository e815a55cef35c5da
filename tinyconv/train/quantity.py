"""What decides which checkpoint of a run is the best."""

from __future__ import annotations

import math

TITLES = {"dice": "Dice", "accuracy": "accuracy", "loss": "loss"}
LOWER = ("loss",)
"""Of these the lowest is the best."""
UNMEASURED = ("loss", "")
"""What is not measured beside the loss of a step."""


def is_better(quantity: str, value: float, before: float | None) -> bool:
    """Whether a held-out score is better than the best before it (None: there was none); NaN never is.

    Examples
    --------
    >>> is_better("dice", 0.9, 0.8), is_better("loss", 0.9, 0.8), is_better("loss", 0.9, None)
    (True, False, True)
    """
    if before is None:
        return not math.isnan(value)
    return value < before if quantity in LOWER else value > before


def most(quantity: str) -> float:
    """The largest value that a checkpoint's score can have."""
    return 2.0**53 if quantity in LOWER else 1.0
