"""Launches the kernel of `shape.cu`, twins of `kernels/reference/shape.py`."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np

from tinyconv.cuda.graphs import is_for_a_graph
from tinyconv.kernels.cuda import _many, resample
from tinyconv.kernels.cuda._launch import C_TYPES, dense, kernel
from tinyconv.kernels.cuda._rows import lanes_of, launch_rows
from tinyconv.kernels.reference import shape as reference

Array = Any

AT_ONCE = 8


def cat(arrays: Sequence[Array], axis: int) -> Array:
    """The arrays joined along `axis`, in the memory order of the first."""
    import cupy

    if not _suit(arrays, axis):
        return _joined_by_cupy(arrays, axis)
    first = dense(arrays[0])
    order = sorted(range(first.ndim), key=lambda i: (-first.strides[i], i))
    place = order.index(axis % first.ndim)
    size = [first.shape[i] for i in order]
    size[place] = sum(array.shape[axis] for array in arrays)
    y = cupy.empty(size, first.dtype)
    rows, inner, begin = prod(size[:place]), prod(size[place + 1 :]), 0
    function = kernel("shape.cu", f"copy_stripe<{C_TYPES[str(first.dtype)]}>")
    for array in arrays:
        x, width, pitch = (
            cupy.ascontiguousarray(array.transpose(order)),
            array.shape[axis] * inner,
            size[place] * inner,
        )
        lanes = lanes_of((x,), width, pitch, begin)
        launch_rows(function, rows, width // lanes, (x, y, rows, width, pitch, begin, lanes))
        begin += width
    return y.transpose([order.index(i) for i in range(first.ndim)])


def _joined_by_cupy(arrays: Sequence[Array], axis: int) -> Array:
    """For a graph few at a time: of many, CuPy would copy the addresses from the host."""
    while is_for_a_graph() and len(arrays) > AT_ONCE and len({array.dtype for array in arrays}) == 1:
        groups = [arrays[i : i + AT_ONCE] for i in range(0, len(arrays), AT_ONCE)]
        arrays = [reference.cat(group, axis) for group in groups]
    return reference.cat(arrays, axis)


def copies(arrays: Sequence[Array]) -> list[Array]:
    """A copy of each array, in its memory order: one launch for up to 77 of floats."""
    import cupy

    arrays = [dense(array) for array in arrays]
    many = [str(array.dtype) in C_TYPES for array in arrays]
    copied = []
    for x, one in zip(arrays, many, strict=True):
        with x.device:
            copied.append(cupy.empty_like(x) if one else x.copy("K"))
    rows = [(to, x) for to, x, one in zip(copied, arrays, many, strict=True) if one]
    _many.launch_rows("copy_each", rows, ())
    return copied


def index_scatter(grad: Array, index: Any, shape: tuple[int, ...]) -> Array:
    """Zeros of `shape` with `grad` added at `index`: the adjoint of ``x[index]``.

    Where an element may be named twice, the places are sorted, so that each element finds what belongs to
    it, and adds it up in the order of `grad`: the same sum every time, which atomic additions are not.
    """
    import cupy

    index, size = _on_gpu(index), prod(shape)
    few = str(grad.dtype) in C_TYPES and 0 < grad.size < 2**31 and size < 2**31
    if not few or reference.names_each_element_once(index):
        return reference.index_scatter(grad, index, shape)
    places = cupy.arange(size).reshape(shape)[index].reshape(-1, 1)
    numbers = cupy.ascontiguousarray(grad).reshape(-1)
    ones = cupy.ones(places.shape, grad.dtype)
    return resample.resample_adjoint(numbers, places, ones, 0, size).reshape(shape)


def _on_gpu(index: Any) -> Any:
    """The index, with the arrays and lists in it as arrays on the GPU."""
    import cupy

    if isinstance(index, tuple):
        return tuple(_on_gpu(part) for part in index)
    return cupy.asarray(index) if isinstance(index, np.ndarray | list) else index


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
