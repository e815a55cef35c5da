"""Weighted sums of a few elements along one dimension: what padding and interpolation are made of."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyconv.autograd import Function
from tinyconv.kernels import resample as kernels
from tinyconv.tensor import Tensor


class Resample(Function):
    """y = W x along one dimension; row i of W has `weights[i]` in the columns `positions[i]`."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, positions: np.ndarray, weights: np.ndarray, axis: int) -> Any:
        ctx.map, ctx.size = (positions, weights, axis), x.shape[axis]
        return kernels.resample(x.array, positions, weights, axis)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        return ResampleAdjoint.apply(grad, *ctx.map, ctx.size), None, None, None


class ResampleAdjoint(Function):
    """y = W^T x along one dimension: the gradient of `Resample`, and it has `Resample` as its own."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, positions: np.ndarray, weights: np.ndarray, axis: int, size: int) -> Any:
        ctx.map = (positions, weights, axis)
        return kernels.resample_adjoint(x.array, positions, weights, axis, size)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        return Resample.apply(grad, *ctx.map), None, None, None, None
