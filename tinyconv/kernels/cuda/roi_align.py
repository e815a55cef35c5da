"""Launches the kernels of `roi_align.cu`, twins of `kernels/reference/roi_align.py`."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyconv.kernels.cuda._launch import C_TYPES, channels_first, channels_last, kernel
from tinyconv.kernels.cuda._rows import launch_rows
from tinyconv.kernels.reference import roi_align as reference

Array = Any
Sizes = tuple[int, ...]

SOURCE = "roi_align.cu"
REGIONS = np.dtype(
    [(name, "i4") for name in ("boxes", "images", "channels")]
    + [(name, "i4", 2) for name in ("size", "bins")]
    + [(name, "i4") for name in ("samples", "aligned")]
)
"""The struct Regions. CuPy hands an array of one element to a kernel by value."""


def roi_align(x: Array, boxes: Array, size: Sizes, scale: float, samples: int, aligned: bool) -> Array:
    """The regions of x (N, C, H, W) in `boxes` (K, 5), each resampled to `size`: (K, C, *size)."""
    import cupy

    if str(x.dtype) not in C_TYPES:
        return reference.roi_align(x, boxes, size, scale, samples, aligned)
    y = cupy.empty((len(boxes), *size, x.shape[1]), x.dtype)
    _launch("roi_align", x, boxes, y, (x.shape, size, scale, samples, aligned), len(boxes) * size[0])
    return channels_first(y)


def roi_align_backward(
    grad: Array, boxes: Array, shape: Sizes, scale: float, samples: int, aligned: bool
) -> Array:
    """The adjoint of `roi_align`: `grad` (K, C, P, Q) added up in an array of `shape` (N, C, H, W)."""
    import cupy

    if str(grad.dtype) not in C_TYPES:
        return reference.roi_align_backward(grad, boxes, shape, scale, samples, aligned)
    out = cupy.empty((shape[0], *shape[2:], shape[1]), grad.dtype)
    options = (shape, grad.shape[2:], scale, samples, aligned)
    _launch("roi_align_backward", grad, boxes, out, options, shape[0] * shape[2])
    return channels_first(out)


def _launch(name: str, array: Array, boxes: Array, out: Array, options: Any, rows: int) -> None:
    import cupy

    shape, size, scale, samples, aligned = options
    regions = np.array((len(boxes), *shape[:2], shape[2:], size, samples, aligned), REGIONS)
    boxes = cupy.ascontiguousarray(boxes, array.dtype)
    function = kernel(SOURCE, f"{name}<{C_TYPES[str(array.dtype)]}>")
    args = (channels_last(array), boxes, out, array.dtype.type(scale), regions)
    launch_rows(function, rows, out.shape[-1] * out.shape[-2], args)
