"""The loss of yes-or-no predictions that are given as logits: one pass over memory, all threads."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import prange

from tinyconv.kernels.cpu import vector_math
from tinyconv.kernels.cpu.flat import WORK, dense, flat, ordered_like, suits_alone
from tinyconv.kernels.cpu.options import parallel
from tinyconv.kernels.cpu.threads import use_threads
from tinyconv.kernels.reference import binary_loss as reference

Array = Any

ONE = np.float32(1)


def logits_cross_entropy(x: Array, target: Array) -> Array:
    """``-t log p - (1 - t) log(1 - p)`` with p = sigmoid(x)."""
    if not suits_alone(x, target):
        return reference.logits_cross_entropy(x, target)
    use_threads(WORK * x.size)
    x = dense(x)
    losses = np.empty_like(x)
    _losses(flat(x), flat(ordered_like(target, x)), flat(losses))
    return losses


@parallel
def _losses(x: Array, target: Array, losses: Array) -> None:
    for i in prange(x.size):
        losses[i] = (ONE - target[i]) * x[i] + vector_math.softplus(-x[i])


def logits_cross_entropy_backward(grad: Array, x: Array, target: Array) -> Array:
    """The gradient of x, ``grad * (sigmoid(x) - target)``."""
    if not suits_alone(x, target, grad):
        return reference.logits_cross_entropy_backward(grad, x, target)
    use_threads(WORK * x.size)
    x = dense(x)
    result = np.empty_like(x)
    _slopes(flat(ordered_like(grad, x)), flat(x), flat(ordered_like(target, x)), flat(result))
    return result


@parallel
def _slopes(grad: Array, x: Array, target: Array, result: Array) -> None:
    for i in prange(x.size):
        result[i] = grad[i] * (vector_math.sigmoid(x[i]) - target[i])
