"""The loss of yes-or-no predictions that are given as logits, element by element."""

from __future__ import annotations

from typing import Any

from tinyconv.device import array_module
from tinyconv.kernels.reference.activation import sigmoid
from tinyconv.kernels.reference.elementwise import quiet

Array = Any


@quiet
def logits_cross_entropy(x: Array, target: Array) -> Array:
    """``-t log p - (1 - t) log(1 - p)`` with p = sigmoid(x), as ``(1 - t) x + log(1 + exp(-x))``.

    The logarithm is ``max(-x, 0) + log(1 + exp(-|x|))``, which cannot overflow.
    """
    xp = array_module(x)
    return xp.asarray((1 - target) * x + (xp.maximum(-x, 0) + xp.log1p(xp.exp(-abs(x)))))


@quiet
def logits_cross_entropy_backward(grad: Array, x: Array, target: Array) -> Array:
    """The gradient of x, ``grad * (sigmoid(x) - target)``."""
    return array_module(x).asarray(grad * (sigmoid(x) - target))
