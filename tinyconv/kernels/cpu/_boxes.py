"""Pooling over windows that are boxes: maxima, means, and the gradient of means.

In each dimension window i is ``range(first[i], end[i], step)``, cut to the image. That says all about
padding, dilation and adaptive pooling, in one, two and three dimensions: what is missing is a
dimension of one pixel. Arrays are (N, D, H, W, C) in C order; a task is a row of windows, and a window is
done in `_pool_tile.py`, as many channels at a time as a vector register holds.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import prange

from tinyconv.kernels.cpu._pool_tile import LANES, make_largest, make_sum
from tinyconv.kernels.cpu.flat import channels_last
from tinyconv.kernels.cpu.memory import read_only
from tinyconv.kernels.cpu.options import inlined, parallel

Array = Any
Sizes = tuple[int, ...]

ONE = np.float32(1)
largest, largest_tail = (make_largest(tail) for tail in (False, True))
total, total_tail = (make_sum(tail, weighted=False) for tail in (False, True))
weighted, weighted_tail = (make_sum(tail, weighted=True) for tail in (False, True))


class Boxes(NamedTuple):
    """Window i of dimension d is ``range(first[d, i], end[d, i], step[d])``; there are `out` of them.

    The arrays are read-only, as those of a geometry are kept for the next call.
    """

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
    return Boxes(read_only(tables[0]), read_only(tables[1]), step, count)


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
    _largest(_flat(x), _flat(y), _flat(indices), x.shape, *windows)
    return y, indices


def factors(counts: Array) -> Array:
    """What sums of so many numbers are multiplied by to be their means, flat."""
    return read_only((1 / counts.reshape(-1)).astype(np.float32))


def mean_of_boxes(x: Array, windows: Boxes, factors: Array) -> Array:
    """The sum of each window multiplied by its factor."""
    y = np.empty((x.shape[0], *windows.out, x.shape[4]), x.dtype)
    _mean(_flat(x), _flat(y), factors, x.shape, *windows)
    return y


def met_by_pixels(windows: Boxes, size: Sizes) -> Boxes:
    """The windows that each pixel of an image of `size` is in, of windows without gaps.

    They are neighbours, because windows begin and end in order: they are a box, too.
    """
    missing = 3 - len(size)
    ranges = [
        (windows.first[d, : windows.out[d]], windows.end[d, : windows.out[d]], np.arange(pixels))
        for d, pixels in enumerate((*(1,) * missing, *size))
    ]
    return boxes(
        [np.searchsorted(end, pixels, "right") for _, end, pixels in ranges],
        [np.searchsorted(first, pixels, "right") for first, _, pixels in ranges],
    )


def collect(grad: Array, met: Boxes, factors: Array) -> Array:
    """The adjoint of `mean_of_boxes`: each pixel collects from the windows that it meets.

    So no two threads write one pixel.
    """
    x_grad = np.empty((grad.shape[0], *met.out, grad.shape[4]), grad.dtype)
    _collect(_flat(grad), _flat(x_grad), factors, grad.shape, *met)
    return x_grad


def _flat(x: Array) -> Array:
    return x.reshape(-1)


@inlined
def _box(first: Array, end: Array, step: Sizes, window: Sizes) -> Any:
    """The bounds of a window, as the loops over its pixels have them."""
    d, h, w = window
    return (
        first[0, d], end[0, d], step[0], first[1, h], end[1, h], step[1], first[2, w], end[2, w], step[2]
    )  # fmt: skip


@parallel
def _largest(
    x: Array, y: Array, indices: Array, shape: Sizes, first: Array, end: Array, step: Sizes, out: Sizes
) -> None:
    count, depth, height, width, channels = shape
    (d_step, h_step, w_step), (d_out, h_out, w_out) = step, out
    whole = channels // LANES * LANES
    for row in prange(count * d_out * h_out):
        n, i, j = row // (d_out * h_out), row // h_out % d_out, row % h_out
        image = n * depth * height * width * channels
        for k in range(w_out):
            box = _box(first, end, (d_step, h_step, w_step), (i, j, k))
            target = (row * w_out + k) * channels
            for c in range(0, whole, LANES):
                largest(x, image + c, channels, (height, width), box, y, indices, target + c, LANES)
            if whole < channels:
                largest_tail(
                    x, image + whole, channels, (height, width), box,
                    y, indices, target + whole, channels - whole,
                )  # fmt: skip


@parallel
def _mean(
    x: Array, y: Array, factors: Array, shape: Sizes, first: Array, end: Array, step: Sizes, out: Sizes
) -> None:
    count, depth, height, width, channels = shape
    (d_step, h_step, w_step), (d_out, h_out, w_out) = step, out
    whole = channels // LANES * LANES
    for row in prange(count * d_out * h_out):
        n, i, j = row // (d_out * h_out), row // h_out % d_out, row % h_out
        image = n * depth * height * width * channels
        for k in range(w_out):
            box = _box(first, end, (d_step, h_step, w_step), (i, j, k))
            target = (row * w_out + k) * channels
            factor = factors[(i * h_out + j) * w_out + k]
            for c in range(0, whole, LANES):
                total(x, image + c, channels, (height, width), box, factors, factor, y, target + c, LANES)
            if whole < channels:
                total_tail(
                    x, image + whole, channels, (height, width), box, factors, factor,
                    y, target + whole, channels - whole,
                )  # fmt: skip


@parallel
def _collect(
    grad: Array,
    x_grad: Array,
    factors: Array,
    shape: Sizes,
    first: Array,
    end: Array,
    step: Sizes,
    out: Sizes,
) -> None:
    count, depth, height, width, channels = shape
    (d_step, h_step, w_step), (d_out, h_out, w_out) = step, out
    whole = channels // LANES * LANES
    for row in prange(count * d_out * h_out):
        n, i, j = row // (d_out * h_out), row // h_out % d_out, row % h_out
        image = n * depth * height * width * channels
        for k in range(w_out):
            box = _box(first, end, (d_step, h_step, w_step), (i, j, k))
            target = (row * w_out + k) * channels
            for c in range(0, whole, LANES):
                weighted(
                    grad, image + c, channels, (height, width), box, factors, ONE, x_grad, target + c, LANES
                )
            if whole < channels:
                weighted_tail(
                    grad, image + whole, channels, (height, width), box, factors, ONE,
                    x_grad, target + whole, channels - whole,
                )  # fmt: skip
