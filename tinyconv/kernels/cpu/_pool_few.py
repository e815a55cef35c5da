"""Halving images of few channels, number by number.

The loops of `pooling.py` treat a pixel's channels as vectors. With fewer channels than a vector has
lanes, setting up such a short loop takes longer than the comparisons in it; plain flat loops
are two to three times as fast then.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import prange

from tinyconv.kernels.cpu.options import inlined, parallel

Array = Any
Sizes = tuple[int, ...]

FEW = 16
"""Fewer channels than this are few."""
HALVING = (2, 2), (2, 2), (0, 0), (1, 1)
"""Kernel size, stride, padding and dilation of the pooling that is meant."""
ZERO = np.float32(0)


@parallel
def max_pool_of_few(x: Array, y: Array, indices: Array, shape: Sizes, out: Sizes) -> None:
    """Windows of 2 x 2 that lie side by side; all arrays are flat, channels last."""
    _, channels, height, width = shape
    for row in prange(shape[0] * out[0]):
        n, i = row // out[0], row % out[0]
        top = (n * height + 2 * i) * width * channels
        target = row * out[1] * channels
        for j in range(out[1]):
            place = np.int32(2 * i * width + 2 * j)
            for c in range(channels):
                at = top + 2 * j * channels + c
                best, where = x[at], place
                best, where = _larger(best, where, x[at + channels], place + np.int32(1))
                at += width * channels
                best, where = _larger(best, where, x[at], place + np.int32(width))
                best, where = _larger(best, where, x[at + channels], place + np.int32(width + 1))
                y[target + j * channels + c] = best
                indices[target + j * channels + c] = where


@inlined
def _larger(best: float, where: int, x: float, place: int) -> tuple[float, int]:
    better = (x > best) | (x != x)
    return (x if better else best), (place if better else where)


@parallel
def spread_few(x: Array, indices: Array, y: Array) -> int:
    """Fill y (N, 2 H, 2 W, C) as if each index lay in its own window; return how many do not."""
    _, height, width, channels = x.shape
    strangers = 0
    for row in prange(x.shape[0] * height):
        n, i = row // height, row % height
        for j in range(width):
            corner = 4 * i * width + 2 * j
            for c in range(channels):
                place, value = indices[n, i, j, c] - corner, x[n, i, j, c]
                below = place - 2 * width
                y[n, 2 * i, 2 * j, c] = value if place == 0 else ZERO
                y[n, 2 * i, 2 * j + 1, c] = value if place == 1 else ZERO
                y[n, 2 * i + 1, 2 * j, c] = value if below == 0 else ZERO
                y[n, 2 * i + 1, 2 * j + 1, c] = value if below == 1 else ZERO
                if place not in (0, 1) and below not in (0, 1):
                    strangers += 1
    return strangers
