"""Joining and sorting arrays, and the adjoint of indexing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tinyconv.device import array_module
from tinyconv.kernels.reference.elementwise import quiet

Array = Any


def cat(arrays: Sequence[Array], axis: int) -> Array:
    """The arrays joined along `axis`; all other sizes must agree."""
    return array_module(arrays[0]).concatenate(arrays, axis=axis)


def copies(arrays: Sequence[Array]) -> list[Array]:
    """A copy of each array, in its memory order."""
    return [array.copy("K") for array in arrays]


def argsort(x: Array, axis: int, descending: bool) -> Array:
    """The order that sorts x along `axis`: equal elements stay in their order, NaN is the largest.

    Examples
    --------
    >>> import numpy as np
    >>> argsort(np.array([2, 1, 2]), 0, True).tolist()
    [0, 2, 1]
    """
    xp = array_module(x)
    if not descending:
        return xp.argsort(x, axis=axis, kind="stable")
    backwards = xp.argsort(xp.flip(x, axis), axis=axis, kind="stable")
    return x.shape[axis] - 1 - xp.flip(backwards, axis)


@quiet
def index_scatter(grad: Array, index: Any, shape: tuple[int, ...]) -> Array:
    """Zeros of `shape` with `grad` added at `index`: the adjoint of ``x[index]``.

    A position that an integer array names twice gets both gradients.

    Examples
    --------
    >>> import numpy as np
    >>> index_scatter(np.array([1.0, 10.0, 100.0]), np.array([0, 2, 0]), (3,)).tolist()
    [101.0, 0.0, 10.0]
    """
    xp = array_module(grad)
    scattered = xp.zeros(shape, dtype=grad.dtype)
    if names_each_element_once(index):
        scattered[index] = grad
    else:
        xp.add.at(scattered, index, grad)
    return scattered


def names_each_element_once(index: Any) -> bool:
    """True for slices, integers, None and ``...``."""
    parts = index if isinstance(index, tuple) else (index,)
    return all(part is None or part is Ellipsis or isinstance(part, int | slice) for part in parts)
