"""Pooling over windows that are boxes: maxima, means, and the gradient of means.

In each dimension window i is ``range(first[i], end[i], step)``, cut to the image. That says all about
padding, dilation and adaptive pooling, in one, two and three dimensions: what is missing is a
dimension of one pixel. Arrays are (N, D, H, W, C) in C order, and the innermost loop runs over the
channels, so that one instruction handles as many as a vector register holds.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import prange

from tinyconv.kernels.cpu.flat import channels_last
from tinyconv.kernels.cpu.options import inlined, parallel

Array = Any
Sizes = tuple[int, ...]

ZERO = np.float32(0)


class Boxes(NamedTuple):
    """Window i of dimension d is ``range(first[d, i], end[d, i], step[d])``; there are `out` of them."""

    first: Array
    end: Array
    step: Sizes
    out: Sizes


def sliding(size: Sizes, out: Sizes, kernel: Sizes, stride: Sizes, padding: Sizes, dilation: Sizes) -> Boxes:
    """The windows of max and average pooling."""
    firsts, ends = [], []
    for n, o, k, s, p, d in zip(size, out, kernel, stride, padding, dilation, strict=True):
        corner = np.arange(o) * s - p
        firsts.append(corner + d * ((np.maximum(-corner, 0) + d - 1) // d))
        ends.append(np.minimum(corner + d * (k - 1) + 1, n))
    return boxes(firsts, ends, dilation)


def boxes(firsts: list[Array], ends: list[Array], step: Sizes | None = None) -> Boxes:
    """The windows of one to three dimensions, as those of three."""
    missing = 3 - len(firsts)
    step = (1,) * missing + (step or (1,) * len(firsts))
    firsts = [np.zeros(1, np.int64)] * missing + firsts
    ends = [np.ones(1, np.int64)] * missing + ends
    count = tuple(len(first) for first in firsts)
    tables = np.zeros((2, 3, max(count)), np.int64)
    for d in range(3):
        tables[0, d, : count[d]], tables[1, d, : count[d]] = firsts[d], ends[d]
    return Boxes(tables[0], tables[1], step, count)


def volumes(x: Array) -> Array:
    """View (or copy once) x (N, C, *spatial) as (N, D, H, W, C)."""
    rows = channels_last(x)
    spatial = rows.shape[1:-1]
    return rows.reshape(rows.shape[0], *(1,) * (3 - len(spatial)), *spatial, rows.shape[-1])


def images(y: Array, dims: int) -> Array:
    """The inverse view of an array (N, D, H, W, C): (N, C, *spatial) with `dims` dimensions."""
    rows = y.reshape(y.shape[0], *y.shape[4 - dims :])
    return rows.transpose(0, dims + 1, *range(1, dims + 1))


def largest_of_boxes(x: Array, windows: Boxes) -> tuple[Array, Array]:
    """The largest number of each window, and its place in the volume; the first of equals, NaN if there."""
    y = np.empty((x.shape[0], *windows.out, x.shape[4]), x.dtype)
    indices = np.empty(y.shape, np.int32)
    _largest(x, y, indices, windows.first, windows.end, windows.step)
    return y, indices


@parallel
def _largest(x: Array, y: Array, indices: Array, first: Array, end: Array, step: Sizes) -> None:
    height, width = x.shape[2:4]
    depth_out, height_out, width_out = y.shape[1:4]
    for row in prange(y.shape[0] * depth_out * height_out):
        n, i, j = row // (depth_out * height_out), row // height_out % depth_out, row % height_out
        for k in range(width_out):
            best, places, started = y[n, i, j, k], indices[n, i, j, k], False
            for d in range(first[0, i], end[0, i], step[0]):
                for h in range(first[1, j], end[1, j], step[1]):
                    for w in range(first[2, k], end[2, k], step[2]):
                        _keep_larger(
                            x[n, d, h, w], np.int32((d * height + h) * width + w), best, places, started
                        )
                        started = True


@inlined
def _keep_larger(x: Array, position: int, y: Array, indices: Array, started: bool) -> None:
    if not started:
        for c in range(x.size):
            y[c] = x[c]
            indices[c] = position
        return
    for c in range(x.size):
        better = (x[c] > y[c]) | (x[c] != x[c])
        y[c] = x[c] if better else y[c]
        indices[c] = position if better else indices[c]


def mean_of_boxes(x: Array, windows: Boxes, counts: Array) -> Array:
    """The sum of each window divided by its number of `counts`."""
    y = np.empty((x.shape[0], *windows.out, x.shape[4]), x.dtype)
    factors = (1 / counts.reshape(windows.out)).astype(x.dtype)
    _mean(x, y, factors, windows.first, windows.end)
    return y


@parallel
def _mean(x: Array, y: Array, factors: Array, first: Array, end: Array) -> None:
    depth_out, height_out, width_out = y.shape[1:4]
    for row in prange(y.shape[0] * depth_out * height_out):
        n, i, j = row // (depth_out * height_out), row // height_out % depth_out, row % height_out
        for k in range(width_out):
            mean = y[n, i, j, k]
            for c in range(mean.size):
                mean[c] = ZERO
            for d in range(first[0, i], end[0, i]):
                for h in range(first[1, j], end[1, j]):
                    _add_pixels(mean, x[n, d, h], first[2, k], end[2, k])
            factor = factors[i, j, k]
            for c in range(mean.size):
                mean[c] *= factor


@inlined
def _add_pixels(total: Array, row: Array, start: int, stop: int) -> None:
    """Add the pixels from `start` to `stop` of a row, two at a time."""
    for w in range(start, stop - 1, 2):
        left, right = row[w], row[w + 1]
        for c in range(total.size):
            total[c] += left[c] + right[c]
    if (stop - start) % 2 == 1:
        last = row[stop - 1]
        for c in range(total.size):
            total[c] += last[c]


def spread_over_boxes(grad: Array, windows: Boxes, counts: Array, size: Sizes) -> Array:
    """The adjoint of `mean_of_boxes`: (N, *size, C), size of three dimensions.

    Each pixel collects from the windows that it is in, so that no two threads write one pixel. These
    windows are neighbours, because windows begin and end in order: they are a box, too.
    """
    x_grad = np.empty((grad.shape[0], *size, grad.shape[4]), grad.dtype)
    ranges = [
        (windows.first[d, : windows.out[d]], windows.end[d, : windows.out[d]], np.arange(size[d]))
        for d in range(3)
    ]
    met = boxes(
        [np.searchsorted(end, pixels, "right") for _, end, pixels in ranges],
        [np.searchsorted(first, pixels, "right") for first, _, pixels in ranges],
    )
    factors = (1 / counts.reshape(windows.out)).astype(grad.dtype)
    _collect(grad, x_grad, factors, met.first, met.end)
    return x_grad


@parallel
def _collect(grad: Array, x_grad: Array, factors: Array, first: Array, end: Array) -> None:
    depth, height, width = x_grad.shape[1:4]
    for row in prange(x_grad.shape[0] * depth * height):
        n, d, h = row // (depth * height), row // height % depth, row % height
        for w in range(width):
            total, started = x_grad[n, d, h, w], False
            for i in range(first[0, d], end[0, d]):
                for j in range(first[1, h], end[1, h]):
                    for k in range(first[2, w], end[2, w]):
                        _add_share(total, grad[n, i, j, k], factors[i, j, k], started)
                        started = True
            if not started:
                for c in range(total.size):
                    total[c] = ZERO


@inlined
def _add_share(total: Array, grad: Array, factor: float, started: bool) -> None:
    if started:
        for c in range(total.size):
            total[c] += grad[c] * factor
    else:
        for c in range(total.size):
            total[c] = grad[c] * factor
