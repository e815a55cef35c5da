"""Reductions over axes."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyconv.device import array_module
from tinyconv.kernels.reference.elementwise import quiet

Array = Any


@quiet
def sum(x: Array, axis: tuple[int, ...], keepdims: bool) -> Array:
    """Sum over `axis`; float32 is added up in float64, so that a million terms lose nothing.

    Integers and truth values add up to int64.
    """
    xp = array_module(x)
    if x.dtype.kind != "f":
        return xp.asarray(x.sum(axis=axis, keepdims=keepdims, dtype=np.int64))
    if x.dtype == np.float32:
        return xp.asarray(x.sum(axis=axis, keepdims=keepdims, dtype=np.float64)).astype(np.float32)
    return xp.asarray(x.sum(axis=axis, keepdims=keepdims))


def max(x: Array, axis: tuple[int, ...], keepdims: bool) -> Array:
    """Largest element over `axis`; NaN if there is one."""
    xp = array_module(x)
    return xp.asarray(x.max(axis=axis, keepdims=keepdims))


def min(x: Array, axis: tuple[int, ...], keepdims: bool) -> Array:
    """Smallest element over `axis`; NaN if there is one."""
    xp = array_module(x)
    return xp.asarray(x.min(axis=axis, keepdims=keepdims))


@quiet
def cumsum(x: Array, axis: int) -> Array:
    """Running sum along `axis`; float32 is added up in float64, integers in int64."""
    total = x.cumsum(axis=axis, dtype=np.float64 if x.dtype.kind == "f" else np.int64)
    return total.astype(x.dtype) if x.dtype.kind == "f" else total
