"""Padding with a constant, and cropping."""

from __future__ import annotations

from typing import Any

from tinyconv.device import array_module

Array = Any
Widths = tuple[tuple[int, int], ...]


def pad(x: Array, widths: Widths, value: float) -> Array:
    """`x` with (before, after) elements of `value` added to each dimension; negative widths crop.

    Cropping what padding added gives x back, and with `value` zero the two are adjoint:
    ``<pad(x, w), g> = <x, pad(g, -w)>``.

    Examples
    --------
    >>> import numpy as np
    >>> pad(np.array([[1, 2, 3]]), ((0, 1), (1, -1)), 0).tolist()
    [[0, 1, 2], [0, 0, 0]]
    """
    shape = tuple(n + before + after for n, (before, after) in zip(x.shape, widths, strict=True))
    y = array_module(x).full_like(x, value, shape=shape)
    kept = tuple(slice(max(-b, 0), n - max(-a, 0)) for n, (b, a) in zip(x.shape, widths, strict=True))
    place = tuple(slice(max(b, 0), n - max(a, 0)) for n, (b, a) in zip(shape, widths, strict=True))
    y[place] = x[kept]
    return y
