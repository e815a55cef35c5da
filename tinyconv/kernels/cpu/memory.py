"""Memory for the CPU kernels: keep freed blocks, and see any array as one run of numbers."""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

Array = Any

_M_TRIM_THRESHOLD = -1
_M_MMAP_THRESHOLD = -3
_SIZES = (1 << 30, 1 << 25)  # older versions of glibc accept no more than 32 MiB


def keep_large_blocks() -> bool:
    """Ask the C library to keep freed blocks for the next array; True if it agreed.

    By default glibc gives every large block back to the system, and the next array of that
    size is made of fresh pages, which the system must clear one by one: that takes longer
    than the arithmetic of an elementwise op. Other C libraries have no such call and are
    left alone.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return False
    options = (_M_MMAP_THRESHOLD, _M_TRIM_THRESHOLD)
    return all(any(mallopt(option, size) for size in _SIZES) for option in options)


def as_memory(array: Array) -> tuple[Array, int, tuple[int, ...]]:
    """See `array` (not empty) as a flat run of memory: (flat, start, strides).

    ``array[i, j, ...]`` is ``flat[start + i * strides[0] + j * strides[1] + ...]``, for any
    order of the axes, slices, negative steps and broadcast axes, without a copy. (Arrays
    that are not aligned, or whose strides are no multiple of the item size, are copied.)
    A compiled function that takes `flat` needs one specialisation for all memory orders.

    Examples
    --------
    >>> import numpy as np
    >>> flat, start, strides = as_memory(np.arange(6.0).reshape(2, 3)[:, ::-1])
    >>> start, strides, flat[start + 1 * strides[0] + 0 * strides[1]].item()
    (2, (3, -1), 5.0)
    """
    item = array.itemsize
    if not array.flags.aligned or any(stride % item for stride in array.strides):
        array = array.copy()
    strides = tuple(stride // item for stride in array.strides)
    if array.flags.c_contiguous:
        return array.reshape(-1), 0, strides
    reach = [stride * (size - 1) for stride, size in zip(strides, array.shape, strict=True)]
    start = -sum(r for r in reach if r < 0)
    span = start + sum(r for r in reach if r > 0) + 1
    lowest = array[tuple(slice(-1, None) if r < 0 else slice(0, 1) for r in reach)]
    return as_strided(lowest, (span,), (item,), writeable=False), start, strides


def channels_last_empty(count: int, channels: int, size: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
    """An uninitialised array (N, C, *size) whose memory is ordered N, *size, C."""
    array = np.empty((count, *size, channels), dtype=dtype)
    return array.transpose(0, array.ndim - 1, *range(1, array.ndim - 1))
