"""Softmax and its logarithm along one axis.

The largest score is subtracted first. That changes nothing mathematically, and keeps every
exponent at or below 0, so that no score is too large::

    softmax(x)_i = exp(x_i - m) / sum over j of exp(x_j - m),    m = max over j of x_j
"""

from __future__ import annotations

from typing import Any

from tinyconv.device import array_module
from tinyconv.kernels.reference.elementwise import quiet

Array = Any


@quiet
def softmax(x: Array, axis: int) -> Array:
    """Positive numbers that sum to 1 along `axis`; same shape as x.

    Examples
    --------
    >>> import numpy as np
    >>> softmax(np.array([1000.0, 1000.0]), 0).tolist()
    [0.5, 0.5]
    """
    xp = array_module(x)
    if x.size == 0:
        return x.copy()
    powers = xp.exp(x - x.max(axis=axis, keepdims=True))
    return xp.asarray(powers / powers.sum(axis=axis, keepdims=True))


@quiet
def log_softmax(x: Array, axis: int) -> Array:
    """``log(softmax(x))`` without ever taking the logarithm of a vanished probability."""
    xp = array_module(x)
    if x.size == 0:
        return x.copy()
    shifted = x - x.max(axis=axis, keepdims=True)
    return xp.asarray(shifted - xp.log(xp.exp(shifted).sum(axis=axis, keepdims=True)))
