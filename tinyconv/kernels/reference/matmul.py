"""Matrix products."""

from __future__ import annotations

from typing import Any

from tinyconv.device import array_module
from tinyconv.kernels.reference.elementwise import quiet

Array = Any


@quiet
def matmul(a: Array, b: Array) -> Array:
    """Matrix product of the last two axes, (..., m, k) and (..., k, n) to (..., m, n).

    The leading axes broadcast; a vector counts as a row on the left, as a column on the right.
    """
    xp = array_module(a)
    return xp.asarray(xp.matmul(a, b))


@quiet
def linear(x: Array, weight: Array, bias: Array | None) -> Array:
    """``x @ weight.T + bias``: (..., out) of x (..., in), weight (out, in), bias (out,)."""
    xp = array_module(x)
    y = xp.asarray(xp.matmul(x, weight.T))
    return y if bias is None else y + bias
