"""Numbers that go to, or come from, places given by an index: unpooling, and the gradient of max pooling.

Arrays are channels last, (N, *spatial, C), and an index counts the pixels of its own channel.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
from numba import prange

from tinyconv.kernels.cpu.options import inlined, parallel
from tinyconv.kernels.cpu.threads import cores

Array = Any
Sizes = tuple[int, ...]

ZERO = np.float32(0)
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
    y = np.empty((x.shape[0], *size, x.shape[-1]), dtype=x.dtype)
    source, places = (part.reshape(x.shape[0], *missing, *x.shape[1:]) for part in (x, indices))
    strangers = _fill_windows(source, places, y.reshape(x.shape[0], *missing, *y.shape[1:]), window)
    return None if strangers else y


LARGEST_WINDOW = 27
"""In a larger window each number would be compared with too many places."""


@parallel
def _fill_windows(x: Array, indices: Array, y: Array, window: Sizes) -> int:
    """Fill y (N, D, H, W, C) as if each index lay in its own window; return how many do not."""
    depth, height, width = x.shape[1:4]
    size = y.shape[1:4]
    strangers = 0
    for row in prange(x.shape[0] * depth * height):
        n, i, j = row // (depth * height), row // height % depth, row % height
        for k in range(width):
            values, places = x[n, i, j, k], indices[n, i, j, k]
            known = 0
            for d in range(i * window[0], (i + 1) * window[0]):
                for h in range(j * window[1], (j + 1) * window[1]):
                    for w in range(k * window[2], (k + 1) * window[2]):
                        place = np.int32((d * size[1] + h) * size[2] + w)
                        known += _fill_pixel(values, places, place, y[n, d, h, w])
            strangers += x.shape[4] - known
    return strangers


@inlined
def _fill_pixel(x: Array, indices: Array, place: int, y: Array) -> int:
    """Write the numbers whose index is this place, else 0; return how many they are."""
    found = np.int32(0)
    for c in range(x.size):
        here = indices[c] == place
        y[c] = x[c] if here else ZERO
        found += np.int32(1) if here else np.int32(0)
    return found


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
