"""The factors of products, with as many bits as `matmul_precision` leaves them."""

from __future__ import annotations

from typing import Any

from tinyconv.device import float32, matmul_precision
from tinyconv.kernels import backend_of, elementwise

Array = Any

ON_LOAD = ("conv", "matmul")
"""Files of kernels whose versions for a GPU read `matmul_precision`, and round while they load."""


def factors(file: str, *arrays: Array) -> tuple[Array, ...]:
    """Arrays that a kernel of `file` will multiply, rounded; those of `ON_LOAD` get them as they are.

    A kernel that makes the gradients of weight and bias from one array sums the rounded numbers for the bias.
    """
    precision = matmul_precision.get()
    if precision == "float32" or (file in ON_LOAD and backend_of(arrays[0]) == "cuda"):
        return arrays
    return tuple([elementwise.rounded(x, precision) if x.dtype == float32 else x for x in arrays])
