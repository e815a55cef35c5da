"""Of the element-by-element functions those that CuPy has not in one pass."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyconv.kernels.cuda._launch import C_TYPES, dense, kernel, launch_elements, map_elements
from tinyconv.kernels.reference import elementwise as reference

Array = Any

FORMATS = ("float32", "tf32", "bfloat16")
"""In the order of the enum `Format` of epilogue.cuh."""


def nan_outside(x: Array, low: float, high: float) -> Array:
    """x where low <= x <= high, else NaN."""
    if str(x.dtype) not in C_TYPES:
        return reference.nan_outside(x, low, high)
    return map_elements("elementwise.cu", "nan_outside", (x,), (low, high))


def rounded(x: Array, precision: str) -> Array:
    """float32 numbers rounded to a format with fewer significant bits, as float32."""
    import cupy

    if precision == "float32" or x.dtype != "float32":
        return x
    x = dense(x)
    out = cupy.empty_like(x)
    arguments = (x, out, x.size, np.int32(FORMATS.index(precision)))
    launch_elements(kernel("elementwise.cu", "round_factors<float>"), x.size, arguments)
    return out
