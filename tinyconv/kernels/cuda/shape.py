"""Launches the kernel of `shape.cu`, the twin of `cat` in `kernels/reference/shape.py`."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

from tinyconv.kernels.cuda._launch import C_TYPES, dense, kernel
from tinyconv.kernels.cuda._rows import launch_rows
from tinyconv.kernels.reference import shape as reference

Array = Any


def cat(arrays: Sequence[Array], axis: int) -> Array:
    """The arrays joined along `axis`, in the memory order of the first."""
    import cupy

    if not _suit(arrays, axis):
        return reference.cat(arrays, axis)
    first = dense(arrays[0])
    order = sorted(range(first.ndim), key=lambda i: (-first.strides[i], i))
    place = order.index(axis % first.ndim)
    size = [first.shape[i] for i in order]
    size[place] = sum(array.shape[axis] for array in arrays)
    y = cupy.empty(size, first.dtype)
    rows, inner, begin = prod(size[:place]), prod(size[place + 1 :]), 0
    function = kernel("shape.cu", f"copy_stripe<{C_TYPES[str(first.dtype)]}>")
    for array in arrays:
        x, width = cupy.ascontiguousarray(array.transpose(order)), array.shape[axis] * inner
        launch_rows(function, rows, width, (x, y, rows, width, size[place] * inner, begin))
        begin += width
    return y.transpose([order.index(i) for i in range(first.ndim)])


def _suit(arrays: Sequence[Array], axis: int) -> bool:
    """Whether all are float32 or all float64, and differ in the size along `axis` only."""
    first = arrays[0]
    if str(first.dtype) not in C_TYPES or not -first.ndim <= axis < first.ndim:
        return False

    def others(array: Array) -> tuple[int, ...]:
        return tuple(n for i, n in enumerate(array.shape) if i != axis % first.ndim)

    return (
        all(
            array.dtype == first.dtype and array.ndim == first.ndim and others(array) == others(first)
            for array in arrays
        )
        and prod(others(first)) < 2**31
    )
