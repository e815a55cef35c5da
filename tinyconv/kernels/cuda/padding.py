"""Launches the kernel of `padding.cu`, the twin of `kernels/reference/padding.py`."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from tinyconv.kernels.cuda._launch import C_TYPES, dense, kernel
from tinyconv.kernels.cuda._rows import lanes_of, launch_rows
from tinyconv.kernels.reference import padding as reference

Array = Any
Widths = tuple[tuple[int, int], ...]

BORDERS = np.dtype(
    [(name, "i4", 3) for name in ("size", "out", "before")]
    + [(name, "i4") for name in ("images", "inner", "lanes")]
)
"""The struct Borders. CuPy hands an array of one element to a kernel by value."""


def pad(x: Array, widths: Widths, value: float) -> Array:
    """`x` with (before, after) elements of `value` added to each dimension; negative widths crop."""
    import cupy

    shape = tuple(n + before + after for n, (before, after) in zip(x.shape, widths, strict=True))
    if x.ndim == 0 or str(x.dtype) not in C_TYPES or max(x.size, prod(shape)) >= 2**31 or min(shape) < 0:
        return reference.pad(x, widths, value)
    x = dense(x)
    order = sorted(range(x.ndim), key=lambda axis: (-x.strides[axis], axis))
    changed = [place for place, axis in enumerate(order) if any(widths[axis])] or [0]
    first, stop = changed[0], changed[-1] + 1
    if stop - first > 3:
        return reference.pad(x, widths, value)
    missing, axes = 3 - (stop - first), order[first:stop]
    images = prod(x.shape[axis] for axis in order[:first])
    inner = prod(x.shape[axis] for axis in order[stop:])
    size, out = ((1,) * missing + tuple(sizes[axis] for axis in axes) for sizes in (x.shape, shape))
    before = (0,) * missing + tuple(widths[axis][0] for axis in axes)
    y = cupy.empty([shape[axis] for axis in order], x.dtype)
    lanes = lanes_of((x,), inner)
    borders = np.array((size, out, before, images, inner, lanes), BORDERS)
    function = kernel("padding.cu", f"pad<{C_TYPES[str(x.dtype)]}>")
    args = (x, y, x.dtype.type(value), borders)
    launch_rows(function, images * out[0] * out[1], out[2] * inner // lanes, args)
    return y.transpose([order.index(axis) for axis in range(x.ndim)])
