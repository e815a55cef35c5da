"""Launches the kernels of `pooling.cu`, twins of `kernels/reference/pooling.py`.

An index outside the image is left out, where the other backends raise ArgumentError: to know of it, Python
would have to wait for the GPU. The ops have checked the indices that a user gives.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyconv.kernels.cuda._boxes import (
    empty_places,
    launch_places,
    maps_of,
    pool_largest,
    pool_mean,
    sliding,
    spread_mean,
    suits,
)
from tinyconv.kernels.cuda._launch import channels_last
from tinyconv.kernels.reference import pooling as reference

Array = Any
Sizes = tuple[int, ...]

SOURCE = "pooling.cu"


def max_pool(
    x: Array, kernel_size: Sizes, stride: Sizes, padding: Sizes, dilation: Sizes, ceil_mode: bool
) -> tuple[Array, Array]:
    """Largest value of each window, and where it stood; see `kernels.reference.pooling`."""
    if not suits(x):
        return reference.max_pool(x, kernel_size, stride, padding, dilation, ceil_mode)
    size = x.shape[2:]
    out = reference.pool_output_size(size, kernel_size, stride, padding, dilation, ceil_mode)
    reference.check_windows("max_pool", size, out, kernel_size, stride, padding, dilation)
    windows = sliding(kernel_size, stride, padding, dilation)
    return pool_largest(SOURCE, "max_pool", x, out, windows)


def avg_pool(
    x: Array, kernel_size: Sizes, stride: Sizes, padding: Sizes, ceil_mode: bool, count_include_pad: bool
) -> Array:
    """Mean of each window."""
    if not suits(x):
        return reference.avg_pool(x, kernel_size, stride, padding, ceil_mode, count_include_pad)
    size, dilation = x.shape[2:], (1,) * len(kernel_size)
    out = reference.pool_output_size(size, kernel_size, stride, padding, dilation, ceil_mode)
    reference.check_windows("avg_pool", size, out, kernel_size, stride, padding, dilation)
    windows = sliding(kernel_size, stride, padding, dilation, count_include_pad)
    return pool_mean(SOURCE, "avg_pool", x, out, windows)


def avg_pool_backward(
    grad: Array,
    size: Sizes,
    kernel_size: Sizes,
    stride: Sizes,
    padding: Sizes,
    ceil_mode: bool,
    count_include_pad: bool,
) -> Array:
    """Adjoint of `avg_pool`: each window's gradient spread evenly over (N, C, *size)."""
    if not suits(grad):
        return reference.avg_pool_backward(
            grad, size, kernel_size, stride, padding, ceil_mode, count_include_pad
        )
    windows = sliding(kernel_size, stride, padding, (1,) * len(size), count_include_pad)
    return spread_mean(SOURCE, "avg_pool_backward", grad, size, windows)


def pool_scatter(x: Array, indices: Array, size: Sizes) -> Array:
    """Zeros (N, C, *size) with x added at `indices`."""
    if not _suits_indexed(x, indices):
        return reference.pool_scatter(x, indices, size)
    return _spread("pool_scatter", x, indices, size)


def unpool(x: Array, indices: Array, size: Sizes) -> Array:
    """Zeros (N, C, *size) with x put at `indices`; of repeated indices the last counts."""
    if not _suits_indexed(x, indices):
        return reference.unpool(x, indices, size)
    return _spread("unpool", x, indices, size)


def pool_gather(x: Array, indices: Array) -> Array:
    """The values of x (N, C, *size) at `indices` (N, C, *output)."""
    if not _suits_indexed(x, indices):
        return reference.pool_gather(x, indices)
    out = indices.shape[2:]
    maps = maps_of(x, x.shape[2:], out)
    y = empty_places(x, out)
    args = (channels_last(x), _places(indices), y, maps)
    launch_places(SOURCE, "pool_gather", x.dtype, maps, "out", args)
    return y


def _suits_indexed(x: Array, indices: Array) -> bool:
    return suits(x) and x.ndim == indices.ndim and indices.dtype in (np.int32, np.int64)


def _places(indices: Array) -> Array:
    """The indices as int32, channels last; one that is too large for that becomes -1, which is outside."""
    import cupy

    if indices.dtype != np.int32:
        indices = cupy.where((indices >= 0) & (indices < 2**31), indices, -1).astype(np.int32)
    return channels_last(indices)


def _spread(name: str, x: Array, indices: Array, size: Sizes) -> Array:
    import cupy

    numbers, places, reach = channels_last(x), _places(indices), cupy.zeros(6, np.int32)
    maps = maps_of(x, size, x.shape[2:], numbers, places)
    launch_places(SOURCE, "pool_reach", None, maps, "out", (places, reach, maps))
    y = empty_places(x, size)
    launch_places(SOURCE, name, x.dtype, maps, "size", (numbers, places, reach, y, maps))
    return y
