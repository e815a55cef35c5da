"""Max pooling, average pooling, unpooling and their adjoints, in any number of dimensions.

A pooling window slides over each channel alone. For 2 x 2 windows and stride 2 the slide's
example is::

    135 212 189  56
    164 201 204 145      212 204
     30 126 189 156  ->  126 189
     36  45  38  12

Max pooling also tells where each maximum stood: a flat index into the channel's plane (or
volume) of the unpadded input. With these indices fixed, pooling is linear: it is
`pool_gather`, and its gradient is the adjoint `pool_scatter`::

    <pool_gather(x, i), g> = <x, pool_scatter(g, i)>

`unpool` is SegNet's max-unpooling (Badrinarayanan et al. 2017): each value is put back where
the maximum came from, and zeros fill the rest.

Shapes: x (N, C, *spatial), y (N, C, *output). Sizes are tuples with one number per spatial
dimension. The arithmetic of sizes, windows and counts is PyTorch's.
"""

from __future__ import annotations

from itertools import product
from math import prod
from typing import Any

import numpy as np

from tinyconv.device import array_module
from tinyconv.errors import ArgumentError, ShapeError
from tinyconv.kernels.reference.elementwise import quiet

Array = Any
Sizes = tuple[int, ...]


def pool_output_size(
    size: Sizes, kernel_size: Sizes, stride: Sizes, padding: Sizes, dilation: Sizes, ceil_mode: bool
) -> Sizes:
    """Number of windows per dimension.

    Without `ceil_mode` it is ``floor((size + 2 padding - dilation (kernel - 1) - 1) / stride) + 1``.
    With it the division rounds up, so that a last window may hang over the right edge; but a
    window that would start beyond the input and its left padding is dropped.
    """
    out = []
    for n, k, s, p, d in zip(size, kernel_size, stride, padding, dilation, strict=True):
        room = n + 2 * p - d * (k - 1) - 1
        windows = (room + s - 1 if ceil_mode else room) // s + 1
        if ceil_mode and (windows - 1) * s >= n + p:
            windows -= 1
        out.append(windows)
    return tuple(out)


def max_pool(
    x: Array, kernel_size: Sizes, stride: Sizes, padding: Sizes, dilation: Sizes, ceil_mode: bool
) -> tuple[Array, Array]:
    r"""Largest value of each window, and where it stood.

    Padding counts as minus infinity: it never wins. Of equal maxima the first wins; a NaN
    wins over everything.

    Returns
    -------
    y : array (N, C, *output)
    indices : int32 array (N, C, *output)
        Flat position of the maximum in the unpadded input's (\*spatial).

    Raises
    ------
    ShapeError
        When a window sees nothing but padding.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.array([[135, 212, 189, 56], [164, 201, 204, 145], [30, 126, 189, 156], [36, 45, 38, 12]])
    >>> y, indices = max_pool(x[None, None], (2, 2), (2, 2), (0, 0), (1, 1), False)
    >>> y[0, 0].tolist(), indices[0, 0].tolist()
    ([[212, 204], [126, 189]], [[1, 6], [9, 10]])
    """
    xp = array_module(x)
    size = x.shape[2:]
    out = pool_output_size(size, kernel_size, stride, padding, dilation, ceil_mode)
    check_windows("max_pool", size, out, kernel_size, stride, padding, dilation)
    pads = _pads(size, out, kernel_size, stride, padding, dilation)
    padded = xp.pad(x, [(0, 0), (0, 0), *pads])
    positions = xp.arange(prod(size), dtype=np.int32).reshape(size)
    positions = xp.pad(positions, pads, constant_values=-1)

    y = xp.zeros((*x.shape[:2], *out), dtype=x.dtype)
    indices = xp.full(y.shape, -1, dtype=np.int32)
    for tap in product(*map(range, kernel_size)):
        window = _tap_window(tap, out, stride, dilation)
        value, position = padded[(..., *window)], positions[window]
        better = (value > y) | (value != value) | (indices < 0)
        better &= position >= 0
        y = xp.where(better, value, y)
        indices = xp.where(better, position, indices)
    return y, indices


def pool_scatter(x: Array, indices: Array, size: Sizes) -> Array:
    """Zeros (N, C, *size) with x (N, C, *output) added at `indices`: the adjoint of `pool_gather`."""
    xp = array_module(x)
    check_indices("pool_scatter", indices, size)
    flat = xp.zeros((x.shape[0] * x.shape[1], prod(size)), dtype=x.dtype)
    xp.add.at(flat, _flat_positions(indices), x.reshape(flat.shape[0], prod(x.shape[2:])))
    return flat.reshape(*x.shape[:2], *size)


def pool_gather(x: Array, indices: Array) -> Array:
    """The values of x (N, C, *size) at `indices` (N, C, *output)."""
    check_indices("pool_gather", indices, x.shape[2:])
    flat = x.reshape(x.shape[0] * x.shape[1], prod(x.shape[2:]))
    return flat[_flat_positions(indices)].reshape(indices.shape)


def unpool(x: Array, indices: Array, size: Sizes) -> Array:
    """Zeros (N, C, *size) with x (N, C, *output) put at `indices`; of repeated indices the last counts."""
    xp = array_module(x)
    check_indices("max_unpool", indices, size)
    flat = xp.zeros((x.shape[0] * x.shape[1], prod(size)), dtype=x.dtype)
    flat[_flat_positions(indices)] = x.reshape(flat.shape[0], prod(x.shape[2:]))
    return flat.reshape(*x.shape[:2], *size)


@quiet
def avg_pool(
    x: Array, kernel_size: Sizes, stride: Sizes, padding: Sizes, ceil_mode: bool, count_include_pad: bool
) -> Array:
    """Mean of each window: y (N, C, *output).

    With `count_include_pad` the zeros of the padding count as pixels, otherwise only the
    input's own pixels do.
    """
    xp = array_module(x)
    size, dilation = x.shape[2:], (1,) * len(kernel_size)
    out = pool_output_size(size, kernel_size, stride, padding, dilation, ceil_mode)
    check_windows("avg_pool", size, out, kernel_size, stride, padding, dilation)
    padded = xp.pad(x, [(0, 0), (0, 0), *_pads(size, out, kernel_size, stride, padding, dilation)])
    y = xp.zeros((*x.shape[:2], *out), dtype=x.dtype)
    for tap in product(*map(range, kernel_size)):
        y += padded[(..., *_tap_window(tap, out, stride, dilation))]
    counts = window_counts(size, out, kernel_size, stride, padding, count_include_pad)
    return y / xp.asarray(counts, dtype=x.dtype)


@quiet
def avg_pool_backward(
    grad: Array,
    size: Sizes,
    kernel_size: Sizes,
    stride: Sizes,
    padding: Sizes,
    ceil_mode: bool,
    count_include_pad: bool,
) -> Array:
    """Adjoint of `avg_pool`: each window's gradient (N, C, *output) spread evenly over (N, C, *size)."""
    xp = array_module(grad)
    out, dilation = grad.shape[2:], (1,) * len(kernel_size)
    counts = window_counts(size, out, kernel_size, stride, padding, count_include_pad)
    share = grad / xp.asarray(counts, dtype=grad.dtype)
    pads = _pads(size, out, kernel_size, stride, padding, dilation)
    padded_size = [n + before + after for n, (before, after) in zip(size, pads, strict=True)]
    padded = xp.zeros((*grad.shape[:2], *padded_size), dtype=grad.dtype)
    for tap in product(*map(range, kernel_size)):
        padded[(..., *_tap_window(tap, out, stride, dilation))] += share
    return padded[(..., *[slice(p, p + n) for n, p in zip(size, padding, strict=True)])]


def window_counts(
    size: Sizes, out: Sizes, kernel_size: Sizes, stride: Sizes, padding: Sizes, count_include_pad: bool
) -> np.ndarray:
    """How many pixels each window's mean is over: int array (*output).

    The part of a window that hangs over the padding (`ceil_mode`) never counts.
    """
    counts = np.ones((), dtype=np.int64)
    for n, o, k, s, p in zip(size, out, kernel_size, stride, padding, strict=True):
        start = np.arange(o) * s - p
        low, high = (-p, n + p) if count_include_pad else (0, n)
        counts = np.multiply.outer(counts, np.minimum(start + k, high) - np.maximum(start, low))
    return counts


def check_windows(
    where: str, size: Sizes, out: Sizes, kernel_size: Sizes, stride: Sizes, padding: Sizes, dilation: Sizes
) -> None:
    """Raise ShapeError when some window sees nothing but padding."""
    for n, o, k, s, p, d in zip(size, out, kernel_size, stride, padding, dilation, strict=True):
        if d == 1 and p < k:
            continue
        taps = np.arange(o)[:, None] * s - p + np.arange(k) * d
        if not ((taps >= 0) & (taps < n)).any(axis=1).all():
            raise ShapeError(
                where, "padding", padding, "every window to meet at least one pixel of the input"
            )


def _pads(
    size: Sizes, out: Sizes, kernel_size: Sizes, stride: Sizes, padding: Sizes, dilation: Sizes
) -> list[tuple[int, int]]:
    """Pixels to add before and after each dimension so that every window fits."""
    ends = (
        (o - 1) * s + d * (k - 1) + 1 for o, k, s, d in zip(out, kernel_size, stride, dilation, strict=True)
    )
    return [(p, max(end - n - p, 0)) for n, p, end in zip(size, padding, ends, strict=True)]


def _tap_window(tap: Sizes, out: Sizes, stride: Sizes, dilation: Sizes) -> tuple[slice, ...]:
    """The padded pixels that window position `tap` meets, one per output pixel."""
    return tuple(
        slice(t * d, t * d + (o - 1) * s + 1, s)
        for t, o, s, d in zip(tap, out, stride, dilation, strict=True)
    )


def _flat_positions(indices: Array) -> tuple[Array, Array]:
    """Index pair (plane, position) into an array (N * C, prod(size))."""
    planes = indices.shape[0] * indices.shape[1]
    xp = array_module(indices)
    return xp.arange(planes)[:, None], indices.reshape(planes, prod(indices.shape[2:]))


def check_indices(where: str, indices: Array, size: Sizes) -> None:
    """Raise ArgumentError when an index lies outside `size`."""
    if indices.size == 0:
        return
    low, high = int(indices.min()), int(indices.max())
    if low < 0 or high >= prod(size):
        raise ArgumentError(
            where, "indices", f"an array of {low} to {high}", f"positions in {size}: 0 to {prod(size) - 1}"
        )
