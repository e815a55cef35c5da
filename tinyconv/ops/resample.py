"""Weighted sums of a few elements along one dimension: what padding and interpolation are made of.

With one element each it is a look-up, as in a table of embeddings.
"""

from __future__ import annotations

from typing import Any

from tinyconv.autograd import Function
from tinyconv.device import array_module
from tinyconv.kernels import resample as kernels
from tinyconv.ops.shape import reshape
from tinyconv.tensor import Tensor

Array = Any


class Resample(Function):
    """y = W x along one dimension; row i of W has `weights[i]` in the columns `positions[i]`."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, positions: Array, weights: Array, axis: int) -> Any:
        ctx.map, ctx.size = (positions, weights, axis), x.shape[axis]
        return kernels.resample(x.array, positions, weights, axis)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        return ResampleAdjoint.apply(grad, *ctx.map, ctx.size), None, None, None


class ResampleAdjoint(Function):
    """y = W^T x along one dimension: the gradient of `Resample`, and it has `Resample` as its own."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, positions: Array, weights: Array, axis: int, size: int) -> Any:
        ctx.map = (positions, weights, axis)
        return kernels.resample_adjoint(x.array, positions, weights, axis, size)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        return Resample.apply(grad, *ctx.map), None, None, None, None


def take_rows(table: Tensor, positions: Array, factors: Tensor | None = None) -> Tensor:
    """The rows of a table (n, d) at an integer array of positions, times `factors`: shape (*positions, d)."""
    column = positions.reshape(-1, 1)
    ones = array_module(column).ones(column.shape) if factors is None else factors.array.reshape(-1, 1)
    rows = Resample.apply(table, column, ones, 0)
    return reshape(rows, (*positions.shape, table.shape[1]))
