"""Learning-rate schedules: a factor for the learning rate, given how far training has come."""

from __future__ import annotations

import math
from collections.abc import Callable

Schedule = Callable[[float], float]

WARMUP = 0.05
FINAL = 0.01


def constant(progress: float) -> float:
    """1 throughout."""
    return 1.0


def warmup_cosine(progress: float) -> float:
    """Rise in a straight line over the first 5 %, then fall along half a cosine to 1 % of the peak.

    Small first steps, while the optimiser's averages are still noise (Goyal et al. 2017); small
    last steps, so that training settles (Loshchilov and Hutter 2017).

    Parameters
    ----------
    progress : float
        From 0, the first step, to 1, the end.

    Examples
    --------
    >>> [round(warmup_cosine(p), 3) for p in (0, 0.025, 0.05, 0.525, 1)]
    [0.01, 0.505, 1.0, 0.505, 0.01]
    """
    if progress < WARMUP:
        return FINAL + (1 - FINAL) * progress / WARMUP
    fallen = min((progress - WARMUP) / (1 - WARMUP), 1.0)
    return FINAL + (1 - FINAL) * (1 + math.cos(math.pi * fallen)) / 2
