"""Of the element-by-element functions those that CuPy has not in one pass."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyconv.kernels.cuda._launch import dense, kernel, launch_elements

Array = Any

FORMATS = ("float32", "tf32", "bfloat16")
"""In the order of the enum `Format` of epilogue.cuh."""


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
