"""Joining channels-last arrays along the channels, in all threads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numba import prange

from tinyconv.kernels.cpu.flat import channels_first, channels_last, suits
from tinyconv.kernels.cpu.options import parallel
from tinyconv.kernels.cpu.threads import use_threads
from tinyconv.kernels.reference import shape as reference

Array = Any


def cat(arrays: Sequence[Array], axis: int) -> Array:
    """The arrays joined along `axis`."""
    first = arrays[0]
    if axis % max(first.ndim, 1) != 1 or not _suit(arrays):
        return reference.cat(arrays, axis)
    use_threads()
    count, size = first.shape[0], first.shape[2:]
    y = np.empty((count, *size, sum(x.shape[1] for x in arrays)), dtype=first.dtype)
    rows = y.reshape(-1, y.shape[-1])
    start = 0
    for x in arrays:
        _copy_columns(channels_last(x).reshape(rows.shape[0], x.shape[1]), rows, start)
        start += x.shape[1]
    return channels_first(y)


def _suit(arrays: Sequence[Array]) -> bool:
    """Whether all are large, float32 and of one size besides the channels, the first channels-last."""
    first = arrays[0]
    if first.ndim < 3 or not np.moveaxis(first, 1, -1).flags.c_contiguous:
        return False
    sizes = (first.shape[0], *first.shape[2:])
    return all(suits(x) and (x.shape[0], *x.shape[2:]) == sizes for x in arrays)


@parallel
def _copy_columns(x: Array, y: Array, start: int) -> None:
    for i in prange(x.shape[0]):
        source, target = x[i], y[i, start : start + x.shape[1]]
        for j in range(source.size):
            target[j] = source[j]
