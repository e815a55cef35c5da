"""Launches the kernels of `adaptive_pooling.cu`, twins of `kernels/reference/adaptive_pooling.py`."""

from __future__ import annotations

from math import prod
from typing import Any

from tinyconv.kernels.cuda import reduction
from tinyconv.kernels.cuda._boxes import pool_largest, pool_mean, spread_mean, suits
from tinyconv.kernels.reference import adaptive_pooling as reference

Array = Any
Sizes = tuple[int, ...]

SOURCE = "adaptive_pooling.cu"


def adaptive_avg_pool(x: Array, size: Sizes) -> Array:
    """Mean of each window: y (N, C, *size)."""
    if not suits(x) or not prod(x.shape[2:]):
        return reference.adaptive_avg_pool(x, size)
    if prod(size) == 1:
        return reduction.sum(x, tuple(range(2, x.ndim)), True) / x.dtype.type(prod(x.shape[2:]))
    return pool_mean(SOURCE, "adaptive_avg_pool", x, size)


def adaptive_avg_pool_backward(grad: Array, size: Sizes) -> Array:
    """Adjoint of `adaptive_avg_pool`: each window's gradient spread evenly over (N, C, *size)."""
    if not suits(grad):
        return reference.adaptive_avg_pool_backward(grad, size)
    return spread_mean(SOURCE, "adaptive_avg_pool_backward", grad, size)


def adaptive_max_pool(x: Array, size: Sizes) -> tuple[Array, Array]:
    """Largest value of each window, and where it stood."""
    if not suits(x) or not prod(x.shape[2:]):
        return reference.adaptive_max_pool(x, size)
    return pool_largest(SOURCE, "adaptive_max_pool", x, size)
