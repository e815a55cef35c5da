"""Resampling along one dimension: each output element is a weighted sum of a few input elements.

Such a map is a matrix W with few entries per row, applied to every line of an array::

    y[..., i, ...] = sum_k weights[i, k] * x[..., positions[i, k], ...]

Interpolation is one of these per spatial dimension (two taps for linear, four for cubic), and
padding by reflection is one with a single tap of weight 1. The adjoint, W^T, is the gradient::

    <resample(x), g> = <x, resample_adjoint(g)>
"""

from __future__ import annotations

from typing import Any

from tinyconv.device import array_module
from tinyconv.kernels.reference.elementwise import quiet

Array = Any


@quiet
def resample(x: Array, positions: Array, weights: Array, axis: int) -> Array:
    """Apply the map with `positions` and `weights`, both (n_out, taps), along `axis`.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.array([10.0, 20.0, 40.0])
    >>> halfway = np.array([[0, 1], [1, 2]]), np.full((2, 2), 0.5)
    >>> resample(x, *halfway, 0).tolist()
    [15.0, 30.0]
    """
    xp = array_module(x)
    lines, axis = _channels_last(x, axis)
    y = None
    for position, weight in zip(positions.T, weights.T, strict=True):
        taken = xp.take(lines, xp.asarray(position), axis)
        taken = _weighted(taken, weight, axis)
        y = taken if y is None else y + taken
    return _channels_second(y)


@quiet
def resample_adjoint(grad: Array, positions: Array, weights: Array, axis: int, size: int) -> Array:
    """The transposed map: each element is added, weighted, to the `size` positions it came from."""
    xp = array_module(grad)
    lines, axis = _channels_last(grad, axis)
    positions, weights = xp.asarray(positions), xp.asarray(weights)
    order = xp.argsort(positions.ravel(), kind="stable")
    shares = xp.take(lines, order // positions.shape[1], axis)
    shares = _weighted(shares, weights.ravel()[order], axis)
    met, starts = xp.unique(positions.ravel()[order], return_index=True)
    x = xp.zeros((*lines.shape[:axis], size, *lines.shape[axis + 1 :]), grad.dtype)
    if grad.size:
        x[(slice(None),) * axis + (met,)] = xp.add.reduceat(shares, starts, axis)
    return _channels_second(x)


def _weighted(lines: Array, weight: Array, axis: int) -> Array:
    """Each of the lines along `axis` times its weight, in the lines' dtype."""
    if (weight == 1).all():
        return lines
    column = array_module(lines).asarray(weight, dtype=lines.dtype)
    return lines * column.reshape(-1, *(1,) * (lines.ndim - axis - 1))


def _channels_last(x: Array, axis: int) -> tuple[Array, int]:
    """(N, C, *spatial) as (N, *spatial, C), so that what is computed from it has that memory order."""
    if x.ndim < 3:
        return x, axis
    return array_module(x).moveaxis(x, 1, -1), x.ndim - 1 if axis == 1 else axis - (axis > 1)


def _channels_second(x: Array) -> Array:
    return array_module(x).moveaxis(x, -1, 1) if x.ndim >= 3 else x
