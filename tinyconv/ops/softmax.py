"""Softmax and its logarithm."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from tinyconv.autograd import Function
from tinyconv.device import array_module, check_dtype, seed, to_device
from tinyconv.errors import ArgumentError
from tinyconv.kernels import softmax as kernels
from tinyconv.ops._checks import check_float, check_number, check_tensor, normalize_dim
from tinyconv.ops.elementwise import exp
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


def log_softmax(input: Tensor, dim: int | None = None, dtype: Any = None) -> Tensor:
    """Logarithm of `softmax`, computed without under- or overflow."""
    return LogSoftmax.apply(*_prepared("log_softmax", input, dim, dtype))


def softmin(input: Tensor, dim: int | None = None, dtype: Any = None) -> Tensor:
    """`softmax` of -input: the smallest value gets the largest probability."""
    x, axis = _prepared("softmin", input, dim, dtype)
    return Softmax.apply(-x, axis)


def gumbel_softmax(
    logits: Tensor, tau: float = 1.0, hard: bool = False, eps: float = 1e-10, dim: int = -1
) -> Tensor:
    """A random class for each row, so that the derivative with respect to `logits` exists (Jang et al. 2017).

    The softmax of ``(logits + g) / tau`` with g from Gumbel's distribution; the nearer `tau` is to 0,
    the nearer the result is to one class drawn with the probabilities ``softmax(logits)``.

    Parameters
    ----------
    logits : Tensor
    tau : float
        Above 0.
    hard : bool
        Return exact zeros and ones; the derivative stays that of the soft result.
    eps : float
        Without meaning, as in PyTorch.
    dim : int
    """
    op = "gumbel_softmax"
    axis = normalize_dim(op, dim, check_float(op, "logits", logits).ndim)
    if not check_number(op, "tau", tau) > 0:
        raise ArgumentError(op, "tau", repr(tau), "a number above 0")
    noise = seed.get().generator.gumbel(size=logits.shape)
    added = Tensor(to_device(np.asarray(noise).astype(logits.dtype), logits.device))
    soft = Softmax.apply((logits + added) / float(tau), axis)
    if not hard or not soft.numel():
        return soft
    xp = array_module(soft.array)
    chosen = xp.expand_dims(soft.array.argmax(axis), axis) if soft.ndim else soft.array.argmax()
    places = xp.arange(soft.shape[axis] if soft.ndim else 1).reshape([-1] + [1] * (soft.ndim - 1 - axis))
    one = (places == chosen).reshape(soft.shape).astype(soft.dtype)
    return soft + (Tensor(one) - soft.detach())


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
