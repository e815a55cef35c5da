"""Memory for the CPU kernels: see any array as one run of numbers."""

from __future__ import annotations

from math import prod
from typing import Any, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import as_strided

from tinyconv.kernels.cpu.flat import memory_axes

Array = Any

CACHE_LINE = 64
"""Bytes that the processor's cores take from each other at once."""


class Memory(NamedTuple):
    """An array as a flat run: ``array[i, j, ...]`` is ``flat[start + i * steps[0] + j * steps[1] + ...]``.

    `flat` is read-only.
    """

    flat: Array
    start: int
    steps: tuple[int, ...]


def read_only(array: Array) -> Array:
    """The same array, marked as not to be written."""
    array.flags.writeable = False
    return array


def as_memory(array: Array) -> Memory:
    """See `array` (not empty) as a flat run of memory.

    That works for any order of the axes, slices, negative steps and broadcast axes, without
    a copy. (Arrays that are not aligned, or whose strides are no multiple of the item size,
    are copied.) A compiled function that takes a `Memory` needs one specialisation for all
    memory orders.

    Examples
    --------
    >>> import numpy as np
    >>> flat, start, steps = as_memory(np.arange(6.0).reshape(2, 3)[:, ::-1])
    >>> start, steps, flat[start + 1 * steps[0] + 0 * steps[1]].item()
    (2, (3, -1), 5.0)
    """
    item = array.itemsize
    if not array.flags.aligned or any(stride % item for stride in array.strides):
        array = array.copy()
    steps = tuple(stride // item for stride in array.strides)
    if array.flags.c_contiguous:
        return Memory(read_only(array.reshape(-1)), 0, steps)
    ordered = array.transpose(memory_axes(array))
    if ordered.flags.c_contiguous:
        return Memory(read_only(ordered.reshape(-1)), 0, steps)
    reach = [step * (size - 1) for step, size in zip(steps, array.shape, strict=True)]
    start = -sum(r for r in reach if r < 0)
    span = start + sum(r for r in reach if r > 0) + 1
    lowest = array[tuple(slice(-1, None) if r < 0 else slice(0, 1) for r in reach)]
    return Memory(as_strided(lowest, (span,), (item,), writeable=False), start, steps)


def aligned_empty(shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
    """An uninitialised array that begins at a cache line.

    NumPy's arrays begin anywhere, so that every whole vector would lie in two lines, and two threads that
    write neighbouring columns would share the line between them: they take it from each other in turn,
    which takes longer than the arithmetic of a small product.
    """
    size, item = prod(shape), dtype.itemsize
    room = np.empty(size + CACHE_LINE // item, dtype)
    first = -(room.__array_interface__["data"][0] // item) % (CACHE_LINE // item)
    return room[first : first + size].reshape(shape)


def channels_last_empty(count: int, channels: int, size: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
    """An uninitialised array (N, C, *size) whose memory is ordered N, *size, C."""
    array = aligned_empty((count, *size, channels), dtype)
    return array.transpose(0, array.ndim - 1, *range(1, array.ndim - 1))
