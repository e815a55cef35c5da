"""Max pooling of volumes, after their planes are pooled: a quarter of the numbers are left, or fewer."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyconv.kernels.cpu.flat import channels_first

Array = Any
Sizes = tuple[int, ...]


def max_over_planes(
    y: Array, indices: Array, out: int, size: Sizes, kernel: int, stride: int, padding: int, dilation: int
) -> tuple[Array, Array]:
    """The pooled planes y (N, D, H, W, C) pooled along D, and the indices in the volume of `size`."""
    best = np.full((y.shape[0], out, *y.shape[2:]), -np.inf, y.dtype)
    places = np.zeros(best.shape, np.int32)
    empty = np.ones(out, bool)
    for tap in range(kernel):
        planes = np.arange(out) * stride - padding + tap * dilation
        rows = np.flatnonzero((planes >= 0) & (planes < size[0]))
        here, now = y[:, planes[rows]], best[:, rows]
        first = empty[rows].reshape(1, -1, 1, 1, 1)
        better = first | (here > now) | np.isnan(here)
        offset = np.int32(size[1] * size[2]) * planes[rows].astype(np.int32).reshape(1, -1, 1, 1, 1)
        places[:, rows] = np.where(better, indices[:, planes[rows]] + offset, places[:, rows])
        best[:, rows] = np.where(better, here, now)
        empty[rows] = False
    return channels_first(best), channels_first(places)
