"""Launches the kernels of `binary_loss.cu`, twins of `kernels/reference/binary_loss.py`."""

from __future__ import annotations

from typing import Any

from tinyconv.kernels.cuda._launch import C_TYPES, map_elements
from tinyconv.kernels.reference import binary_loss as reference

Array = Any

SOURCE = "binary_loss.cu"


def logits_cross_entropy(x: Array, target: Array) -> Array:
    """``-t log p - (1 - t) log(1 - p)`` with p = sigmoid(x)."""
    if not _suit(x, target):
        return reference.logits_cross_entropy(x, target)
    return map_elements(SOURCE, "logits_cross_entropy", (x, target))


def logits_cross_entropy_backward(grad: Array, x: Array, target: Array) -> Array:
    """The gradient of x, ``grad * (sigmoid(x) - target)``."""
    if not _suit(x, target, grad):
        return reference.logits_cross_entropy_backward(grad, x, target)
    return map_elements(SOURCE, "logits_cross_entropy_backward", (grad, x, target))


def _suit(x: Array, *others: Array) -> bool:
    """Whether all are float32 or all float64, and of one shape."""
    same = all(other.dtype == x.dtype and other.shape == x.shape for other in others)
    return same and str(x.dtype) in C_TYPES
