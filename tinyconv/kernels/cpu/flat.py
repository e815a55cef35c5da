"""Arrays as one block of memory.

An elementwise kernel does not care which element is which. If the elements of an array fill
one block without gaps, the array is *dense*, and whatever the order of its axes in memory the
kernel can run through that block from one end to the other. Its result gets the same order,
so that a channels-last network stays channels-last.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from tinyconv.kernels.cpu.threads import use_threads

Array = Any

SMALL = 16384
"""Below this many elements, starting the threads costs more than they save."""


TINY = 16
"""A kernel that uses one thread for small arrays is worth calling for so many times fewer elements."""


def suits(x: Array, *others: Array) -> bool:
    """Whether a kernel of this folder is worth calling: float32 everywhere, and not too small."""
    return x.size >= SMALL and _are_float32(x, *others)


def suits_alone(x: Array, *others: Array) -> bool:
    """The same for a kernel that tells `use_threads` how much it has to do."""
    return is_enough(x.size) and _are_float32(x, *others)


def is_enough(size: int) -> bool:
    """Whether so many numbers are worth a call of such a kernel."""
    return size >= SMALL // TINY


def _are_float32(x: Array, *others: Array) -> bool:
    if x.size == 0 or x.dtype != np.float32:
        return False
    return all(isinstance(other, np.ndarray) and other.dtype == np.float32 for other in others)


@cache
def channels_last_axes(ndim: int) -> tuple[int, ...]:
    """The axes of (N, C, *spatial) in the order N, *spatial, C."""
    return (0, *range(2, ndim), 1)[:ndim]


def memory_axes(x: Array) -> tuple[int, ...]:
    """The axes of x from the outermost in memory to the innermost."""
    axes = channels_last_axes(x.ndim)
    if x.ndim > 2 and x.transpose(axes).flags.c_contiguous:
        return axes
    return tuple(sorted(range(x.ndim), key=lambda axis: -abs(x.strides[axis])))


def is_dense(x: Array) -> bool:
    """Whether the elements fill one block of memory, in any order of the axes."""
    if x.flags.forc:
        return True
    return bool(x.transpose(memory_axes(x)).flags.c_contiguous)


def dense(x: Array) -> Array:
    """The array itself if it is dense, else a dense copy with the axes in the same order."""
    return x if is_dense(x) else x.copy(order="K")


def flat(x: Array) -> Array:
    """The block of memory of a dense array, as an array of one dimension that shares it."""
    if x.flags.c_contiguous:
        return x.reshape(-1)
    if x.flags.f_contiguous:
        return x.T.reshape(-1)
    return x.transpose(memory_axes(x)).reshape(-1)


def same_order(a: Array, b: Array) -> bool:
    """Whether two dense arrays of one shape have their elements in the same places."""
    return a.strides == b.strides or all(
        size <= 1 or first == second
        for size, first, second in zip(a.shape, a.strides, b.strides, strict=True)
    )


def ordered_like(x: Array, other: Array) -> Array:
    """The array x, or a copy of it, in the memory order of the dense array `other`."""
    if same_order(x, other):
        return x
    ordered = np.empty_like(other, dtype=x.dtype)
    ordered[...] = x
    return ordered


WORK = 8
"""Multiply-adds that take as long as one element of an activation function."""


def along(kernel: Callable[..., None], x: Array, *numbers: float) -> Array:
    """A new array like x, filled by ``kernel(x, y, *numbers)`` on flat arrays."""
    use_threads(WORK * x.size)
    x = dense(x)
    y = np.empty_like(x)
    kernel(flat(x), flat(y), *map(np.float32, numbers))
    return y


def along_both(kernel: Callable[..., None], grad: Array, at: Array, *numbers: float) -> Array:
    """A new array like `at`, filled by ``kernel(grad, at, result, *numbers)`` on flat arrays."""
    use_threads(WORK * at.size)
    at = dense(at)
    grad = ordered_like(grad, at)
    result = np.empty_like(at)
    kernel(flat(grad), flat(at), flat(result), *map(np.float32, numbers))
    return result


def channels_last(x: Array) -> Array:
    """View (or copy once) x (N, C, *spatial) as a C-ordered array (N, *spatial, C)."""
    return np.ascontiguousarray(x.transpose(channels_last_axes(x.ndim)))


def channels_first(x: Array) -> Array:
    """The inverse view: (N, *spatial, C) seen as (N, C, *spatial)."""
    return x.transpose(0, x.ndim - 1, *range(1, x.ndim - 1))
