"""Pooling on channels-last memory, in one to three dimensions.

What windows are is in `_boxes.py`, the way back by indices in `_places.py`, and what is done in a window in
`_pool_tile.py`.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from tinyconv.kernels.cpu import _boxes, _places
from tinyconv.kernels.cpu.flat import channels_first, channels_last, suits
from tinyconv.kernels.cpu.threads import use_threads
from tinyconv.kernels.reference import pooling as reference

Array = Any
Sizes = tuple[int, ...]

KEPT = 64
"""Kinds of pooling whose windows are kept, as a network has few."""


def max_pool(
    x: Array, kernel_size: Sizes, stride: Sizes, padding: Sizes, dilation: Sizes, ceil_mode: bool
) -> tuple[Array, Array]:
    """Largest value of each window, and where it stood; see `kernels.reference.pooling`."""
    if not _suits(x):
        return reference.max_pool(x, kernel_size, stride, padding, dilation, ceil_mode)
    use_threads()
    windows = _windows("max_pool", x.shape[2:], kernel_size, stride, padding, dilation, ceil_mode)
    y, indices = _boxes.largest_of_boxes(_boxes.volumes(x), windows)
    return _boxes.images(y, x.ndim - 2), _boxes.images(indices, x.ndim - 2)


@lru_cache(KEPT)
def _windows(
    op: str, size: Sizes, kernel_size: Sizes, stride: Sizes, padding: Sizes, dilation: Sizes, ceil_mode: bool
) -> _boxes.Boxes:
    """All windows; a network asks for the same ones in every step."""
    out = reference.pool_output_size(size, kernel_size, stride, padding, dilation, ceil_mode)
    reference.check_windows(op, size, out, kernel_size, stride, padding, dilation)
    return _boxes.sliding(size, out, kernel_size, stride, padding, dilation)


def _suits(x: Array) -> bool:
    return x.ndim in (3, 4, 5) and suits(x)


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
    size = x.shape[2:]
    windows = _windows("avg_pool", size, kernel_size, stride, padding, (1,) * len(size), ceil_mode)
    factors = _factors(size, windows.out[3 - len(size) :], kernel_size, stride, padding, count_include_pad)
    return _boxes.images(_boxes.mean_of_boxes(_boxes.volumes(x), windows, factors), len(size))


@lru_cache(KEPT)
def _factors(
    size: Sizes, out: Sizes, kernel_size: Sizes, stride: Sizes, padding: Sizes, count_include_pad: bool
) -> Array:
    """What the sum of each window is multiplied by to be its mean."""
    counts = reference.window_counts(size, out, kernel_size, stride, padding, count_include_pad)
    return _boxes.factors(counts)


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
    factors = _factors(size, grad.shape[2:], kernel_size, stride, padding, count_include_pad)
    met = _met(size, kernel_size, stride, padding, ceil_mode)
    return _boxes.images(_boxes.collect(_boxes.volumes(grad), met, factors), len(size))


@lru_cache(KEPT)
def _met(size: Sizes, kernel_size: Sizes, stride: Sizes, padding: Sizes, ceil_mode: bool) -> _boxes.Boxes:
    """The windows of a mean that each pixel is in."""
    windows = _windows("avg_pool", size, kernel_size, stride, padding, (1,) * len(size), ceil_mode)
    return _boxes.met_by_pixels(windows, size)
