"""Matrix products."""

from __future__ import annotations

from collections.abc import Sequence
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


@quiet
def linear_gradients(
    grad: Array, x: Array, weight: Array, wanted: tuple[bool, bool, bool]
) -> tuple[Array | None, Array | None, Array | None]:
    """The gradients of x (rows, in), weight (out, in) and bias (out,) of `linear`, where `wanted`, else None.

    grad (rows, out) is that of the output::

        dL/dx = grad W        dL/dW = grad^T x        dL/db = sum of the rows of grad
    """
    wants_x, wants_weight, wants_bias = wanted
    return (
        matmul(grad, weight) if wants_x else None,
        matmul(grad.T, x) if wants_weight else None,
        grad.sum(axis=0) if wants_bias else None,
    )


@quiet
def einsum(arrays: Sequence[Array], labels: tuple[tuple[int, ...], ...], out: tuple[int, ...]) -> Array:
    """Sum of products: ``labels[i]`` names the dimensions of ``arrays[i]``, `out` those of the result.

    Examples
    --------
    >>> import numpy as np
    >>> einsum([np.eye(2), np.array([3.0, 4.0])], ((0, 1), (1,)), (0,)).tolist()
    [3.0, 4.0]
    """
    xp = array_module(arrays[0])
    names = sorted(set().union(*labels))
    numbers = {name: number for number, name in enumerate(names)}
    terms: list[Any] = []
    for array, names_of in zip(arrays, labels, strict=True):
        terms += [array, [numbers[name] for name in names_of]]
    return xp.asarray(xp.einsum(*terms, [numbers[name] for name in out], optimize=len(arrays) > 1))
