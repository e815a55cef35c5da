"""Softmax and its logarithm."""

from __future__ import annotations

from typing import Any

from tinyconv.autograd import Function
from tinyconv.kernels import softmax as kernels
from tinyconv.ops._checks import check_float, normalize_dim
from tinyconv.ops.elementwise import exp
from tinyconv.ops.reduction import sum as sum_
from tinyconv.tensor import Tensor


class Softmax(Function):
    """y_i = e^(x_i) / sum_j e^(x_j), so dL/dx = y (g - sum_j g_j y_j)."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, dim: int) -> Any:
        y = kernels.softmax(x.array, dim)
        ctx.save_for_backward(y)
        ctx.dim = dim
        return y

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        (y,) = ctx.saved_tensors
        return y * (grad - sum_(grad * y, ctx.dim, keepdim=True)), None


class LogSoftmax(Function):
    """y_i = x_i - log sum_j e^(x_j), so dL/dx = g - e^y sum_j g_j."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, dim: int) -> Any:
        y = kernels.log_softmax(x.array, dim)
        ctx.save_for_backward(y)
        ctx.dim = dim
        return y

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        (y,) = ctx.saved_tensors
        return grad - exp(y) * sum_(grad, ctx.dim, keepdim=True), None


def softmax(input: Tensor, dim: int) -> Tensor:
    """Probabilities: e^x divided by their sum along `dim`.

    Examples
    --------
    >>> import tinyconv as tc
    >>> import tinyconv.nn.functional as F
    >>> F.softmax(tc.zeros(1, 4), dim=1).tolist()
    [[0.25, 0.25, 0.25, 0.25]]
    """
    check_float("softmax", "input", input)
    return Softmax.apply(input, normalize_dim("softmax", dim, input.ndim))


def log_softmax(input: Tensor, dim: int) -> Tensor:
    """Logarithm of `softmax`, computed without under- or overflow."""
    check_float("log_softmax", "input", input)
    return LogSoftmax.apply(input, normalize_dim("log_softmax", dim, input.ndim))


def softmin(input: Tensor, dim: int) -> Tensor:
    """`softmax` of -input: the smallest value gets the largest probability."""
    check_float("softmin", "input", input)
    return Softmax.apply(-input, normalize_dim("softmin", dim, input.ndim))
