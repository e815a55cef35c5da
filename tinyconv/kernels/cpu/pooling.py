"""Pooling on channels-last memory.

Max pooling of a volume pools its planes, then takes the largest of the planes of each window; one
dimension is lifted to two. Average pooling in other than two dimensions is left to the reference.

A pixel's channels are neighbours in memory, and every loop's innermost runs over them, so
that one instruction handles as many channels as a vector register holds.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
from numba import prange

from tinyconv.kernels.cpu._pool_few import FEW, HALVING, max_pool_of_few, spread_few
from tinyconv.kernels.cpu._pool_volume import max_over_planes
from tinyconv.kernels.cpu.flat import channels_first, channels_last, suits
from tinyconv.kernels.cpu.options import inlined, parallel
from tinyconv.kernels.cpu.threads import use_threads
from tinyconv.kernels.reference import pooling as reference

Array = Any
Sizes = tuple[int, ...]

ZERO = np.float32(0)
CHANNELS = 16
"""Channels per task where the images alone are too few tasks for the threads."""


def max_pool(
    x: Array, kernel_size: Sizes, stride: Sizes, padding: Sizes, dilation: Sizes, ceil_mode: bool
) -> tuple[Array, Array]:
    """Largest value of each window, and where it stood; see `kernels.reference.pooling`."""
    if x.ndim not in (3, 4, 5) or not suits(x):
        return reference.max_pool(x, kernel_size, stride, padding, dilation, ceil_mode)
    if x.ndim == 3:
        y, indices = max_pool(
            x[:, :, None], (1, *kernel_size), (1, *stride), (0, *padding), (1, *dilation), ceil_mode
        )
        return y[:, :, 0], indices[:, :, 0]
    size = x.shape[2:]
    out = reference.pool_output_size(size, kernel_size, stride, padding, dilation, ceil_mode)
    reference.check_windows("max_pool", size, out, kernel_size, stride, padding, dilation)
    if x.ndim == 4:
        return _max_pool_planes(x, out, kernel_size, stride, padding, dilation)
    planes = x.transpose(0, 2, 1, 3, 4).reshape(-1, x.shape[1], *size[1:])
    y, indices = _max_pool_planes(planes, out[1:], kernel_size[1:], stride[1:], padding[1:], dilation[1:])
    shape = x.shape[0], size[0], *out[1:], x.shape[1]
    parts = channels_last(y).reshape(shape), channels_last(indices).reshape(shape)
    return max_over_planes(*parts, out[0], size, kernel_size[0], stride[0], padding[0], dilation[0])


def _max_pool_planes(
    x: Array, out: Sizes, kernel_size: Sizes, stride: Sizes, padding: Sizes, dilation: Sizes
) -> tuple[Array, Array]:
    use_threads()
    y = np.empty((x.shape[0], *out, x.shape[1]), dtype=x.dtype)
    indices = np.empty(y.shape, dtype=np.int32)
    windows = kernel_size, stride, padding, dilation
    if x.shape[1] < FEW and windows == HALVING and 2 * out[0] <= x.shape[2] and 2 * out[1] <= x.shape[3]:
        max_pool_of_few(channels_last(x).reshape(-1), y.reshape(-1), indices.reshape(-1), x.shape, out)
        return channels_first(y), channels_first(indices)
    _max_pool(channels_last(x), y, indices, kernel_size, stride, padding, dilation)
    return channels_first(y), channels_first(indices)


@parallel
def _max_pool(
    x: Array, y: Array, indices: Array, kernel_size: Sizes, stride: Sizes, padding: Sizes, dilation: Sizes
) -> None:
    height, width = x.shape[1:3]
    out_height, out_width = y.shape[1:3]
    for row in prange(y.shape[0] * out_height):
        n, i = row // out_height, row % out_height
        for j in range(out_width):
            first = True
            for a in range(kernel_size[0]):
                h = i * stride[0] - padding[0] + a * dilation[0]
                if h < 0 or h >= height:
                    continue
                for b in range(kernel_size[1]):
                    w = j * stride[1] - padding[1] + b * dilation[1]
                    if w < 0 or w >= width:
                        continue
                    _keep_larger(x[n, h, w], np.int32(h * width + w), y[n, i, j], indices[n, i, j], first)
                    first = False


@inlined
def _keep_larger(x: Array, position: int, y: Array, indices: Array, first: bool) -> None:
    if first:
        for c in range(x.size):
            y[c] = x[c]
            indices[c] = position
        return
    for c in range(x.size):
        better = (x[c] > y[c]) | (x[c] != x[c])
        y[c] = x[c] if better else y[c]
        indices[c] = position if better else indices[c]


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
    return x.ndim == indices.ndim >= 3 and suits(x) and indices.dtype == np.int32


def _spread(where: str, x: Array, indices: Array, size: Sizes, add: bool) -> Array:
    use_threads()
    count, channels, *out = x.shape
    values, places = channels_last(x), channels_last(indices)
    if len(size) == 2 and size == (2 * out[0], 2 * out[1]):
        y = np.empty((count, *size, channels), dtype=x.dtype)
        spread = spread_few if channels < FEW else _spread_2x2
        if spread(values, places, y) == 0:
            return channels_first(y)
    y = np.zeros((count, *size, channels), dtype=x.dtype)
    if _spread_anywhere(_pixels(values), _pixels(places), _pixels(y), add):
        reference.check_indices(where, indices, size)
    return channels_first(y)


def _pixels(x: Array) -> Array:
    """View (N, *spatial, C) as (N, P, C)."""
    return x.reshape(x.shape[0], prod(x.shape[1:-1]), x.shape[-1])


@parallel
def _spread_2x2(x: Array, indices: Array, y: Array) -> int:
    """Fill y as if each index lay in its own 2 x 2 window; return how many do not.

    That is the gradient of the usual pooling, in one pass that writes each pixel once.
    """
    height, width = x.shape[1:3]
    strangers = 0
    for row in prange(x.shape[0] * height):
        n, i = row // height, row % height
        for j in range(width):
            corner = np.int32(4 * i * width + 2 * j)
            top, bottom = y[n, 2 * i], y[n, 2 * i + 1]
            strangers += _fill_window(
                x[n, i, j], indices[n, i, j], corner, np.int32(2 * width),
                top[2 * j], top[2 * j + 1], bottom[2 * j], bottom[2 * j + 1],
            )  # fmt: skip
    return strangers


@inlined
def _fill_window(
    x: Array, indices: Array, corner: int, below: int, y0: Array, y1: Array, y2: Array, y3: Array
) -> int:
    strangers = np.int32(0)
    for c in range(x.size):
        place = indices[c] - corner
        y0[c] = x[c] if place == 0 else ZERO
        y1[c] = x[c] if place == 1 else ZERO
        y2[c] = x[c] if place == below else ZERO
        y3[c] = x[c] if place == below + 1 else ZERO
        known = (place == 0) | (place == 1) | (place == below) | (place == below + 1)
        strangers += np.int32(0) if known else np.int32(1)
    return strangers


@parallel
def _spread_anywhere(x: Array, indices: Array, y: Array, add: bool) -> int:
    """Add or put x (N, P, C) into y (N, Q, C); return how many indices lie outside."""
    channels = x.shape[2]
    blocks = (channels + CHANNELS - 1) // CHANNELS
    outside = 0
    for task in prange(x.shape[0] * blocks):
        n, block = task // blocks, task % blocks
        for p in range(x.shape[1]):
            for c in range(block * CHANNELS, min((block + 1) * CHANNELS, channels)):
                q = indices[n, p, c]
                if q < 0 or q >= y.shape[1]:
                    outside += 1
                elif add:
                    y[n, q, c] += x[n, p, c]
                else:
                    y[n, q, c] = x[n, p, c]
    return outside


def pool_gather(x: Array, indices: Array) -> Array:
    """The values of x (N, C, *size) at `indices` (N, C, *output)."""
    if not _suits_indexed(x, indices):
        return reference.pool_gather(x, indices)
    use_threads()
    places = channels_last(indices)
    y = np.empty(places.shape, dtype=x.dtype)
    if _gather(_pixels(channels_last(x)), _pixels(places), _pixels(y)):
        reference.check_indices("pool_gather", indices, x.shape[2:])
    return channels_first(y)


@parallel
def _gather(x: Array, indices: Array, y: Array) -> int:
    """Fill y (N, P, C) from x (N, Q, C); return how many indices lie outside."""
    outside = 0
    for row in prange(y.shape[0] * y.shape[1]):
        n, p = row // y.shape[1], row % y.shape[1]
        for c in range(y.shape[2]):
            q = indices[n, p, c]
            if q < 0 or q >= x.shape[1]:
                outside += 1
            else:
                y[n, p, c] = x[n, q, c]
    return outside


def avg_pool(
    x: Array, kernel_size: Sizes, stride: Sizes, padding: Sizes, ceil_mode: bool, count_include_pad: bool
) -> Array:
    """Mean of each window."""
    if x.ndim != 4 or not suits(x):
        return reference.avg_pool(x, kernel_size, stride, padding, ceil_mode, count_include_pad)
    use_threads()
    size = x.shape[2:]
    out = reference.pool_output_size(size, kernel_size, stride, padding, (1, 1), ceil_mode)
    reference.check_windows("avg_pool", size, out, kernel_size, stride, padding, (1, 1))
    counts = reference.window_counts(size, out, kernel_size, stride, padding, count_include_pad)
    y = np.empty((x.shape[0], *out, x.shape[1]), dtype=x.dtype)
    _avg_pool(channels_last(x), y, counts.astype(np.float32), kernel_size, stride, padding)
    return channels_first(y)


@parallel
def _avg_pool(x: Array, y: Array, counts: Array, kernel_size: Sizes, stride: Sizes, padding: Sizes) -> None:
    out_height, out_width = y.shape[1:3]
    for row in prange(y.shape[0] * out_height):
        n, i = row // out_height, row % out_height
        top = i * stride[0] - padding[0]
        for j in range(out_width):
            left = j * stride[1] - padding[1]
            mean = y[n, i, j]
            mean[:] = ZERO
            for h in range(max(top, 0), min(top + kernel_size[0], x.shape[1])):
                for w in range(max(left, 0), min(left + kernel_size[1], x.shape[2])):
                    _add_to(mean, x[n, h, w])
            for c in range(mean.size):
                mean[c] /= counts[i, j]


@inlined
def _add_to(total: Array, x: Array) -> None:
    for c in range(total.size):
        total[c] += x[c]


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
    if grad.ndim != 4 or not suits(grad):
        return reference.avg_pool_backward(
            grad, size, kernel_size, stride, padding, ceil_mode, count_include_pad
        )
    use_threads()
    out = grad.shape[2:]
    counts = reference.window_counts(size, out, kernel_size, stride, padding, count_include_pad)
    share = channels_last(grad) / counts.astype(np.float32)[:, :, None]
    x_grad = np.empty((grad.shape[0], *size, grad.shape[1]), dtype=grad.dtype)
    _sum_of_windows(share, x_grad, kernel_size, stride, padding)
    return channels_first(x_grad)


@parallel
def _sum_of_windows(share: Array, x_grad: Array, kernel_size: Sizes, stride: Sizes, padding: Sizes) -> None:
    """Each pixel collects from the windows that it is in, so that no two threads write one pixel."""
    height, width = x_grad.shape[1:3]
    for row in prange(x_grad.shape[0] * height):
        n, h = row // height, row % height
        first_i = _first_window(h + padding[0], kernel_size[0], stride[0])
        for w in range(width):
            first_j = _first_window(w + padding[1], kernel_size[1], stride[1])
            total = x_grad[n, h, w]
            total[:] = ZERO
            for i in range(first_i, min((h + padding[0]) // stride[0] + 1, share.shape[1])):
                for j in range(first_j, min((w + padding[1]) // stride[1] + 1, share.shape[2])):
                    _add_to(total, share[n, i, j])


@inlined
def _first_window(pixel: int, kernel: int, stride: int) -> int:
    """The first window that reaches this pixel of the padded input."""
    return max(0, (pixel - kernel + stride) // stride)
