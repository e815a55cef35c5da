"""Softmax and its logarithm."""

from __future__ import annotations

import warnings
from typing import Any

from tinyconv.autograd import Function
from tinyconv.device import check_dtype
from tinyconv.grad_mode import is_grad_enabled
from tinyconv.kernels import softmax as kernels
from tinyconv.ops._checks import check_float, check_tensor, normalize_dim
from tinyconv.ops.elementwise import exp
from tinyconv.ops.numpy_names import numpy_names
from tinyconv.ops.operands import astype
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
        if not is_grad_enabled():
            return SoftmaxBackward.apply(grad, y, ctx.dim), None
        return y * (grad - sum_(grad * y, ctx.dim, keepdim=True)), None


class SoftmaxBackward(Function):
    """The same formula in one kernel, where nothing is to be differentiated again."""

    @staticmethod
    def forward(ctx: Any, grad: Tensor, y: Tensor, dim: int) -> Any:
        return kernels.softmax_backward(grad.array, y.array, dim)


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
        if not is_grad_enabled():
            return LogSoftmaxBackward.apply(grad, y, ctx.dim), None
        return grad - exp(y) * sum_(grad, ctx.dim, keepdim=True), None


class LogSoftmaxBackward(Function):
    """The same formula in one kernel, where nothing is to be differentiated again."""

    @staticmethod
    def forward(ctx: Any, grad: Tensor, y: Tensor, dim: int) -> Any:
        return kernels.log_softmax_backward(grad.array, y.array, dim)


@numpy_names
def softmax(input: Tensor, dim: int | None = None, dtype: Any = None) -> Tensor:
    """Probabilities: e^x divided by their sum along `dim`.

    Parameters
    ----------
    input : Tensor
    dim : int
        Without it PyTorch's former guess is taken, with a warning: 1, but 0 for 0, 1 and 3 dimensions.
    dtype : dtype, optional
        What the input is converted to first.

    Examples
    --------
    >>> import tinyconv as tc
    >>> import tinyconv.nn.functional as F
    >>> F.softmax(tc.zeros(1, 4), dim=1).tolist()
    [[0.25, 0.25, 0.25, 0.25]]
    """
    return Softmax.apply(*_prepared("softmax", input, dim, dtype))


@numpy_names
def log_softmax(input: Tensor, dim: int | None = None, dtype: Any = None) -> Tensor:
    """Logarithm of `softmax`, computed without under- or overflow."""
    return LogSoftmax.apply(*_prepared("log_softmax", input, dim, dtype))


def softmin(input: Tensor, dim: int | None = None, dtype: Any = None) -> Tensor:
    """`softmax` of -input: the smallest value gets the largest probability."""
    x, axis = _prepared("softmin", input, dim, dtype)
    return Softmax.apply(-x, axis)


def _prepared(op: str, input: Tensor, dim: int | None, dtype: Any) -> tuple[Tensor, int]:
    """The input in the dtype that was asked for, and the dim counted from the front."""
    if dtype is not None:
        input = check_float(op, "input", astype(check_tensor(op, "input", input), check_dtype(op, dtype)))
    ndim = check_float(op, "input", input).ndim
    if dim is None:
        dim = 0 if ndim in (0, 1, 3) else 1
        message = f"{op}: dim is None, so dim={dim} is taken, as PyTorch does for {ndim} dimensions; give it"
        warnings.warn(message, UserWarning, stacklevel=3)
    return input, normalize_dim(op, dim, ndim)
