"""Adaptive pooling on channels-last memory: the loops of sliding windows, with other windows."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from tinyconv.kernels.cpu import _boxes, reduction
from tinyconv.kernels.cpu.flat import suits
from tinyconv.kernels.cpu.threads import use_threads
from tinyconv.kernels.reference import adaptive_pooling as reference

Array = Any
Sizes = tuple[int, ...]

MANY = 4096
"""So many numbers are added in float32 without a loss that matters."""


def adaptive_avg_pool(x: Array, size: Sizes) -> Array:
    """Mean of each window: y (N, C, *size)."""
    if not _suits(x):
        return reference.adaptive_avg_pool(x, size)
    if prod(size) == 1:
        axes = tuple(range(2, x.ndim))
        return reduction.sum(x, axes, keepdims=True) / x.dtype.type(prod(x.shape[2:]))
    windows, counts = _windows(x.shape[2:], size)
    if counts.max() > MANY:
        return reference.adaptive_avg_pool(x, size)
    use_threads()
    return _boxes.images(_boxes.mean_of_boxes(_boxes.volumes(x), windows, _boxes.factors(counts)), len(size))


def adaptive_avg_pool_backward(grad: Array, size: Sizes) -> Array:
    """Adjoint of `adaptive_avg_pool`: each window's gradient spread evenly over (N, C, *size)."""
    if grad.ndim not in (3, 4, 5) or grad.dtype != np.float32 or grad.size == 0:
        return reference.adaptive_avg_pool_backward(grad, size)
    use_threads(prod(grad.shape[:2]) * prod(size))
    windows, counts = _windows(size, grad.shape[2:])
    met = _boxes.met_by_pixels(windows, size)
    return _boxes.images(_boxes.collect(_boxes.volumes(grad), met, _boxes.factors(counts)), len(size))


def adaptive_max_pool(x: Array, size: Sizes) -> tuple[Array, Array]:
    """Largest value of each window, and where it stood."""
    if not _suits(x):
        return reference.adaptive_max_pool(x, size)
    use_threads()
    windows, _ = _windows(x.shape[2:], size)
    y, indices = _boxes.largest_of_boxes(_boxes.volumes(x), windows)
    return _boxes.images(y, len(size)), _boxes.images(indices, len(size))


def _suits(x: Array) -> bool:
    return x.ndim in (3, 4, 5) and suits(x)


def _windows(pixels: Sizes, size: Sizes) -> tuple[_boxes.Boxes, Array]:
    """The windows, and how many pixels each has."""
    bounds = [reference.window_bounds(n, m) for n, m in zip(pixels, size, strict=True)]
    counts = np.ones((), np.int64)
    for start, end in bounds:
        counts = np.multiply.outer(counts, end - start)
    return _boxes.boxes([start for start, _ in bounds], [end for _, end in bounds]), counts
