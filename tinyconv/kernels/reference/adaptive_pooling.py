r"""Adaptive pooling: the number of windows is given, and the windows are cut to fit.

Of n pixels, output i of m sees those from floor(i n / m) to ceil((i + 1) n / m) - 1: windows as
equal as can be, which may share a pixel. With m = 1 the window is the whole image ("global
pooling"). For n = 5 and m = 3::

    pixels    0  1  2  3  4
    window 0  *  *
    window 1     *  *  *
    window 2           *  *

In more dimensions a window is a product of such intervals, so that one dimension after the
other can be pooled.

Shapes: x (N, C, \*spatial), y (N, C, \*size). Windows and ties are PyTorch's.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from tinyconv.device import array_module
from tinyconv.kernels.reference.elementwise import quiet

Array = Any
Sizes = tuple[int, ...]


def window_bounds(pixels: int, windows: int) -> tuple[np.ndarray, np.ndarray]:
    """First pixel of each window, and the one after its last.

    Examples
    --------
    >>> [bounds.tolist() for bounds in window_bounds(5, 3)]
    [[0, 1, 3], [2, 4, 5]]
    """
    i = np.arange(windows)
    return i * pixels // windows, -(-(i + 1) * pixels // windows)


@quiet
def adaptive_avg_pool(x: Array, size: Sizes) -> Array:
    """Mean of each window: y (N, C, *size)."""
    for axis, windows in enumerate(size, start=2):
        y = array_module(x).empty(_resized(x, axis, windows), dtype=x.dtype)
        for i, (start, end) in enumerate(zip(*window_bounds(x.shape[axis], windows), strict=True)):
            y[_along(axis, i)] = x[_along(axis, slice(start, end))].mean(axis)
        x = y
    return x


@quiet
def adaptive_avg_pool_backward(grad: Array, size: Sizes) -> Array:
    """Adjoint of `adaptive_avg_pool`: each window's gradient spread evenly over (N, C, *size)."""
    for axis, pixels in enumerate(size, start=2):
        x_grad = array_module(grad).zeros(_resized(grad, axis, pixels), dtype=grad.dtype)
        for i, (start, end) in enumerate(zip(*window_bounds(pixels, grad.shape[axis]), strict=True)):
            share = grad[_along(axis, slice(i, i + 1))] / int(end - start)
            x_grad[_along(axis, slice(start, end))] += share
        grad = x_grad
    return grad


def adaptive_max_pool(x: Array, size: Sizes) -> tuple[Array, Array]:
    r"""Largest value of each window, and where it stood.

    Of equal maxima the first wins; a NaN wins over everything.

    Returns
    -------
    y : array (N, C, *size)
    indices : int32 array (N, C, *size)
        Flat position of the maximum in the input's (\*spatial).
    """
    xp = array_module(x)
    positions = xp.arange(prod(x.shape[2:]), dtype=np.int32).reshape(x.shape[2:])
    indices = xp.broadcast_to(positions, x.shape)
    for axis in reversed(range(2, x.ndim)):  # rows first, so that the first in reading order wins
        start, end = window_bounds(x.shape[axis], size[axis - 2])
        y, places = x[_along(axis, start)], indices[_along(axis, start)]
        for tap in range(1, int((end - start).max(initial=1))):
            (chosen,) = np.nonzero(start + tap < end)
            pixels = start[chosen] + tap
            window, value = _along(axis, chosen), x[_along(axis, pixels)]
            better = (value > y[window]) | (value != value)
            y[window] = xp.where(better, value, y[window])
            places[window] = xp.where(better, indices[_along(axis, pixels)], places[window])
        x, indices = y, places
    return x, indices


def _along(axis: int, positions: Any) -> tuple[Any, ...]:
    """An index that takes positions (a number, a slice or an array) of one dimension."""
    return (*[slice(None)] * axis, positions)


def _resized(x: Array, axis: int, n: int) -> Sizes:
    return (*x.shape[:axis], n, *x.shape[axis + 1 :])
