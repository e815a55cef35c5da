"""Pooling on channels-last memory, in one to three dimensions.

What windows are is in `_boxes.py`, the way back by indices in `_places.py`, and the 2 x 2 windows of
images with few channels have loops of their own in `_pool_few.py`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyconv.kernels.cpu import _boxes, _places
from tinyconv.kernels.cpu._pool_few import FEW, HALVING, max_pool_of_few, spread_few
from tinyconv.kernels.cpu.flat import channels_first, channels_last, suits
from tinyconv.kernels.cpu.threads import use_threads
from tinyconv.kernels.reference import pooling as reference

Array = Any
Sizes = tuple[int, ...]


def max_pool(
    x: Array, kernel_size: Sizes, stride: Sizes, padding: Sizes, dilation: Sizes, ceil_mode: bool
) -> tuple[Array, Array]:
    """Largest value of each window, and where it stood; see `kernels.reference.pooling`."""
    if not _suits(x):
        return reference.max_pool(x, kernel_size, stride, padding, dilation, ceil_mode)
    use_threads()
    size = x.shape[2:]
    out = reference.pool_output_size(size, kernel_size, stride, padding, dilation, ceil_mode)
    reference.check_windows("max_pool", size, out, kernel_size, stride, padding, dilation)
    if x.shape[1] < FEW and (kernel_size, stride, padding, dilation) == HALVING and _fit(out, size):
        y = np.empty((x.shape[0], *out, x.shape[1]), dtype=x.dtype)
        indices = np.empty(y.shape, dtype=np.int32)
        max_pool_of_few(channels_last(x).reshape(-1), y.reshape(-1), indices.reshape(-1), x.shape, out)
        return channels_first(y), channels_first(indices)
    windows = _boxes.sliding(size, out, kernel_size, stride, padding, dilation)
    y, indices = _boxes.largest_of_boxes(_boxes.volumes(x), windows)
    return _boxes.images(y, len(size)), _boxes.images(indices, len(size))


def _suits(x: Array) -> bool:
    return x.ndim in (3, 4, 5) and suits(x)


def _fit(out: Sizes, size: Sizes) -> bool:
    """Whether no window of two pixels hangs over the edge."""
    return all(2 * m <= n for m, n in zip(out, size, strict=True))


def pool_scatter(x: Array, indices: Array, size: Sizes) -> Array:
    """Zeros (N, C, *size) with x added at `indices`."""
    if not _suits_indexed(x, indices):
        return reference.pool_scatter(x, indices, size)
    return _spread("pool_scatter", x, indices, size, True)


def unpool(x: Array, indices: Array, size: Sizes) -> Array:
    """Zeros (N, C, *size) with x put at `indices`."""
    if not _suits_indexed(x, indices):
        return reference.unpool(x, indices, size)
    return _spread("max_unpool", x, indices, size, False)


def _suits_indexed(x: Array, indices: Array) -> bool:
    return x.ndim == indices.ndim and _suits(x) and indices.dtype in (np.int32, np.int64)


def _spread(where: str, x: Array, indices: Array, size: Sizes, add: bool) -> Array:
    use_threads()
    count, channels, *out = x.shape
    values, places = channels_last(x), channels_last(indices)
    if channels < FEW and len(size) == 2 and size == (2 * out[0], 2 * out[1]):
        y = np.empty((count, *size, channels), dtype=x.dtype)
        if spread_few(values, places, y) == 0:
            return channels_first(y)
    filled = _places.spread_in_windows(values, places, size)
    if filled is not None:
        return channels_first(filled)
    y = np.empty((count, *size, channels), dtype=x.dtype)
    if not _places.spread_anywhere(*map(_places.pixels, (values, places, y)), add):
        reference.check_indices(where, indices, size)
    return channels_first(y)


def pool_gather(x: Array, indices: Array) -> Array:
    """The values of x (N, C, *size) at `indices` (N, C, *output)."""
    if not _suits_indexed(x, indices):
        return reference.pool_gather(x, indices)
    use_threads()
    places = channels_last(indices)
    y = np.empty(places.shape, dtype=x.dtype)
    if not _places.gather(*map(_places.pixels, (channels_last(x), places, y))):
        reference.check_indices("pool_gather", indices, x.shape[2:])
    return channels_first(y)


def avg_pool(
    x: Array, kernel_size: Sizes, stride: Sizes, padding: Sizes, ceil_mode: bool, count_include_pad: bool
) -> Array:
    """Mean of each window."""
    if not _suits(x):
        return reference.avg_pool(x, kernel_size, stride, padding, ceil_mode, count_include_pad)
    use_threads()
    size, dilation = x.shape[2:], (1,) * len(kernel_size)
    out = reference.pool_output_size(size, kernel_size, stride, padding, dilation, ceil_mode)
    reference.check_windows("avg_pool", size, out, kernel_size, stride, padding, dilation)
    counts = reference.window_counts(size, out, kernel_size, stride, padding, count_include_pad)
    windows = _boxes.sliding(size, out, kernel_size, stride, padding, dilation)
    return _boxes.images(_boxes.mean_of_boxes(_boxes.volumes(x), windows, counts), len(size))


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
    if not _suits(grad):
        return reference.avg_pool_backward(
            grad, size, kernel_size, stride, padding, ceil_mode, count_include_pad
        )
    use_threads()
    out = grad.shape[2:]
    counts = reference.window_counts(size, out, kernel_size, stride, padding, count_include_pad)
    windows = _boxes.sliding(size, out, kernel_size, stride, padding, (1,) * len(size))
    whole = (1,) * (3 - len(size)) + size
    return _boxes.images(_boxes.spread_over_boxes(_boxes.volumes(grad), windows, counts, whole), len(size))
