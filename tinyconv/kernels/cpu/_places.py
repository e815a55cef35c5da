"""Numbers that go to, or come from, places given by an index: unpooling, and the gradient of max pooling.

Arrays are channels last, (N, *spatial, C), and an index counts the pixels of its own channel.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
from numba import prange

from tinyconv.kernels.cpu._pool_tile import LANES, make_fill
from tinyconv.kernels.cpu.options import inlined, parallel
from tinyconv.kernels.cpu.threads import cores

Array = Any
Sizes = tuple[int, ...]

ZERO = np.float32(0)
fill, fill_tail = (make_fill(tail) for tail in (False, True))
CHANNELS = 16
"""Channels per task where the images alone are too few tasks for the threads."""


def pixels(x: Array) -> Array:
    """View (N, *spatial, C) as (N, P, C)."""
    return x.reshape(x.shape[0], prod(x.shape[1:-1]), x.shape[-1])


def spread_in_windows(x: Array, indices: Array, size: Sizes) -> Array | None:
    """Zeros (N, *size, C) but for the numbers of x, each in its own window; None if one is not.

    The windows lie side by side, without gaps, and are of one size: that is the gradient of the
    usual pooling, in one pass that writes each pixel once.
    """
    out = x.shape[1:-1]
    if any(n % m for n, m in zip(size, out, strict=True)):
        return None
    missing = (1,) * (3 - len(size))
    window = (*missing, *(n // m for n, m in zip(size, out, strict=True)))
    if prod(window) > LARGEST_WINDOW:
        return None
    places = indices if indices.dtype == np.int32 else _narrowed(indices, prod(size))
    if places is None:
        return None
    y = np.empty((x.shape[0], *size, x.shape[-1]), dtype=x.dtype)
    flat = (part.reshape(-1) for part in (x, places, y))
    strangers = _fill_windows(*flat, (x.shape[0], *missing, *x.shape[1:]), window)
    return None if strangers else y


def _narrowed(indices: Array, pixels: int) -> Array | None:
    """The same indices as int32, in which the public functions do not give them; None if one is outside."""
    found = np.empty(indices.shape, np.int32)
    return None if _narrow(indices.reshape(-1), found.reshape(-1), pixels) else found


@parallel
def _narrow(indices: Array, found: Array, pixels: int) -> int:
    outside = 0
    for i in prange(indices.size):
        place = indices[i]
        found[i] = place
        if place < 0 or place >= pixels:
            outside += 1
    return outside


LARGEST_WINDOW = 27
"""In a larger window each number would be compared with too many places."""


@parallel
def _fill_windows(x: Array, indices: Array, y: Array, shape: Sizes, window: Sizes) -> int:
    """Fill y (N, D, H, W, C) as if each index lay in its own window; return how many do not."""
    count, depth, height, width, channels = shape
    size = height * window[1], width * window[2]
    pixels_of_image = depth * window[0] * size[0] * size[1]
    whole = channels // LANES * LANES
    strangers = 0
    for row in prange(count * depth * height):
        n, i, j = row // (depth * height), row // height % depth, row % height
        image = n * pixels_of_image * channels
        for k in range(width):
            box = (
                i * window[0], (i + 1) * window[0], 1, j * window[1], (j + 1) * window[1], 1,
                k * window[2], (k + 1) * window[2], 1,
            )  # fmt: skip
            source = (row * width + k) * channels
            for c in range(0, whole, LANES):
                strangers += fill(x, indices, source + c, size, box, y, image + c, channels, LANES)
            if whole < channels:
                strangers += fill_tail(
                    x, indices, source + whole, size, box, y, image + whole, channels, channels - whole
                )
    return strangers


def spread_anywhere(x: Array, indices: Array, y: Array, add: bool) -> bool:
    """Add or put x (N, P, C) into y (N, Q, C), zeroed here; False if an index lies outside.

    Each task has some channels of an image, so that no two threads write one number.
    """
    block = x.shape[2] if x.shape[0] >= cores() else CHANNELS
    return _spread_anywhere(x.reshape(-1), indices.reshape(-1), y.reshape(-1), *_sizes(x, y), block, add) == 0


def _sizes(x: Array, y: Array) -> Sizes:
    return x.shape[0], x.shape[1], y.shape[1], x.shape[2]


@parallel
def _spread_anywhere(
    x: Array,
    indices: Array,
    y: Array,
    count: int,
    here: int,
    there: int,
    channels: int,
    block: int,
    add: bool,
) -> int:
    blocks = (channels + block - 1) // block
    outside = 0
    for task in prange(count * blocks):
        n, begin = task // blocks, task % blocks * block
        width = min(block, channels - begin)
        _clear(y, n * there * channels + begin, there, channels, width)
        for p in range(here):
            source = (n * here + p) * channels + begin
            target = n * there * channels + begin
            outside += _move(x, indices, y, source, target, there, channels, width, add)
    return outside


@inlined
def _clear(y: Array, start: int, rows: int, pitch: int, width: int) -> None:
    for row in range(rows):
        target = y[start + row * pitch : start + row * pitch + width]
        for c in range(width):
            target[c] = ZERO


@inlined
def _move(
    x: Array,
    indices: Array,
    y: Array,
    source: int,
    target: int,
    there: int,
    channels: int,
    width: int,
    add: bool,
) -> int:
    """Add or put the channels of one pixel; return how many indices lie outside."""
    outside = 0
    for c in range(width):
        q = np.int64(indices[source + c])
        if q < 0 or q >= there:
            outside += 1
        elif add:
            y[target + q * channels + c] += x[source + c]
        else:
            y[target + q * channels + c] = x[source + c]
    return outside


def gather(x: Array, indices: Array, y: Array) -> bool:
    """Fill y (N, P, C) from x (N, Q, C); False if an index lies outside."""
    return _gather(x.reshape(-1), indices.reshape(-1), y.reshape(-1), *_sizes(y, x)) == 0


@parallel
def _gather(x: Array, indices: Array, y: Array, count: int, here: int, there: int, channels: int) -> int:
    outside = 0
    for row in prange(count * here):
        start, origin = row * channels, row // here * there * channels
        for c in range(channels):
            q = np.int64(indices[start + c])
            if q < 0 or q >= there:
                outside += 1
            else:
                y[start + c] = x[origin + q * channels + c]
    return outside
