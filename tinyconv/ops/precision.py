"""The factors of products, with as many bits as `matmul_precision` leaves them."""

from __future__ import annotations

from typing import Any

from tinyconv.device import float32, matmul_precision
from tinyconv.kernels import backend_of, elementwise

Array = Any


def factors(*arrays: Array) -> tuple[Array, ...]:
    """Arrays that a kernel will multiply, rounded.

    The kernels of a GPU round while they load; they get the arrays as they are. A kernel that makes the
    gradients of weight and bias from one array sums the rounded numbers for the bias.
    """
    precision = matmul_precision.get()
    if precision == "float32" or backend_of(arrays[0]) == "cuda":
        return arrays
    return rounded_factors(*arrays)


def rounded_factors(*arrays: Array) -> tuple[Array, ...]:
    """Arrays that a kernel will multiply which does not know of `matmul_precision`, rounded."""
    precision = matmul_precision.get()
    if precision == "float32":
        return arrays
    return tuple([elementwise.rounded(x, precision) if x.dtype == float32 else x for x in arrays])
