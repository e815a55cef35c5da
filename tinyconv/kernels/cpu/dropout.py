"""Dropout with the masks of `kernels.reference.dropout`, bit for bit, one pass over memory."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import prange

from tinyconv.kernels.cpu._mask import BLOCK, drop_block, mask
from tinyconv.kernels.cpu.flat import channels_first, channels_last, suits
from tinyconv.kernels.cpu.options import parallel
from tinyconv.kernels.cpu.threads import use_threads
from tinyconv.kernels.reference import dropout as reference

Array = Any
Word = Any


def dropout(x: Array, p: float, key: tuple[int, int]) -> Array:
    """Zero each element of x with probability p and divide the others by 1 - p."""
    if not suits(x):
        return reference.dropout(x, p, key)
    use_threads()
    ordered = channels_last(x) if x.ndim >= 3 else np.ascontiguousarray(x)
    y = np.empty_like(ordered)
    _dropout(ordered.reshape(-1), y.reshape(-1), *mask(p, key))
    return channels_first(y) if x.ndim >= 3 else y.reshape(x.shape)


@parallel
def _dropout(
    x: Array, y: Array, threshold: Word, scale: float, call_low: Word, call_high: Word, k0: Word, k1: Word
) -> None:
    for b in prange((x.size + BLOCK - 1) // BLOCK):
        start, stop = b * BLOCK, min((b + 1) * BLOCK, x.size)
        drop_block(x, y, start, stop, threshold, scale, call_low, call_high, k0, k1)
