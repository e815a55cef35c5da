"""Launches the kernel of `resample.cu`, twins of `kernels/reference/resample.py`."""

from __future__ import annotations

from functools import lru_cache
from math import prod
from types import ModuleType
from typing import Any

import numpy as np

from tinyconv.cuda.memory import keep
from tinyconv.kernels.cuda._launch import C_TYPES, kernel
from tinyconv.kernels.cuda._rows import lanes_of, launch_rows
from tinyconv.kernels.reference import resample as reference

Array = Any
Table = tuple[Array, Array, Array]
"""Starts, sources and weights, see `resample.cu`."""

KEPT_TABLES = 256
"""Tables stay on the GPU until so many others have been used since, those of a CUDA graph as long as it."""


def resample(x: Array, positions: Array, weights: Array, axis: int) -> Array:
    """Apply the map with `positions` and `weights`, both (n_out, taps), along `axis`."""
    if not _suits(x, positions):
        return reference.resample(x, positions, weights, axis)
    table = _table_on_gpu(positions, weights, x.dtype, None)
    return _along(x, axis, table)


def resample_adjoint(grad: Array, positions: Array, weights: Array, axis: int, size: int) -> Array:
    """The transposed map: each element is added, weighted, to the `size` positions it came from."""
    if not _suits(grad, positions):
        return reference.resample_adjoint(grad, positions, weights, axis, size)
    return _along(grad, axis, _table_on_gpu(positions, weights, grad.dtype, size))


def _suits(x: Array, positions: Array) -> bool:
    small = x.size < 2**31 and positions.size < 2**31
    return x.ndim > 0 and str(x.dtype) in C_TYPES and small


def _table_on_gpu(positions: Array, weights: Array, dtype: Any, size: int | None) -> Table:
    """The table of the map, or with a `size` that of its adjoint."""
    import cupy

    if not isinstance(positions, np.ndarray):
        return _table(cupy, positions, cupy.asarray(weights), dtype, size)
    places, factors = np.asarray(positions, np.int64), np.asarray(weights, np.float64)
    device = cupy.cuda.runtime.getDevice()
    numbers = places.tobytes(), factors.tobytes()
    return keep(_kept_table(cupy, device, places.shape, *numbers, str(dtype), size))


@lru_cache(KEPT_TABLES)
def _kept_table(
    cupy: ModuleType, device: int, shape: tuple[int, int], places: bytes, factors: bytes, dtype: str,
    size: int | None,
) -> Table:  # fmt: skip
    positions = np.frombuffer(places, np.int64).reshape(shape)
    weights = np.frombuffer(factors, np.float64).reshape(shape)
    starts, sources, values = _table(np, positions, weights, dtype, size)
    return cupy.asarray(starts), cupy.asarray(sources), cupy.asarray(values)


def _table(xp: Any, positions: Array, weights: Array, dtype: Any, size: int | None) -> Table:
    count, taps = positions.shape
    places, factors = positions.reshape(-1), weights.reshape(-1)
    if size is None:
        starts, sources = xp.arange(count + 1) * taps, places
    else:
        order = xp.argsort(places, kind="stable")
        starts = xp.searchsorted(places[order], xp.arange(size + 1))
        sources, factors = order // taps, factors[order]
    return starts.astype(np.int32), sources.astype(np.int32), factors.astype(dtype)


def _along(x: Array, axis: int, table: Table) -> Array:
    """On `axis`, ``y[i] = sum of weights[k] * x[sources[k]]`` for k from starts[i] to starts[i + 1]."""
    import cupy

    axis %= x.ndim
    if x.ndim > 2:  # channels last
        x, axis = cupy.moveaxis(x, 1, -1), x.ndim - 1 if axis == 1 else axis - (axis > 1)
    lines = cupy.ascontiguousarray(x)
    before, after, count = lines.shape[:axis], lines.shape[axis + 1 :], table[0].size - 1
    y = cupy.empty((*before, count, *after), x.dtype)
    images, length = prod(before), prod(after)
    function = kernel("resample.cu", f"sum_lines<{C_TYPES[str(x.dtype)]}>")
    lanes = lanes_of((lines,), length)
    args = (lines, *table, y, images, lines.shape[axis], count, length, lanes)
    launch_rows(function, images * count, length // lanes, args)
    return cupy.moveaxis(y, -1, 1) if x.ndim > 2 else y
