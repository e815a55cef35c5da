"""Losses of predicted distributions: minus the logarithm of how likely the target is."""

from __future__ import annotations

from math import inf, pi
from math import log as log_of_number
from typing import Any

import numpy as np

from tinyconv.autograd import Function
from tinyconv.device import array_module, on_its_gpu
from tinyconv.errors import ArgumentError, ShapeError
from tinyconv.ops._checks import check_flags, check_float, check_same_dtype
from tinyconv.ops._unseen import nan_outside, unseen
from tinyconv.ops.elementwise import exp, log, where
from tinyconv.ops.loss_common import (
    REDUCTIONS,
    check_above_zero,
    check_at_least,
    check_pair,
    check_reduction,
    reduce_loss,
)
from tinyconv.ops.reduction import sum as sum_
from tinyconv.ops.shape import expand, unsqueeze
from tinyconv.tensor import Tensor


class TimesLog(Function):
    """y = x log x, with 0 at 0; the derivative is log x + 1."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Any:
        ctx.save_for_backward(x)
        module = array_module(x.array)
        with np.errstate(invalid="ignore"):
            return module.asarray(x.array * module.log(module.where(x.array == 0, 1, x.array)))

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        (x,) = ctx.saved_tensors
        return grad * (log(x) + 1)


def kl_div(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    log_target: bool = False,
) -> Tensor:
    """Kullback-Leibler divergence of a target distribution from a predicted one: t (log t - input).

    Parameters
    ----------
    input : Tensor
        Log-probabilities.
    target : Tensor
        Probabilities, of the same shape (nothing is broadcast, as it would be in PyTorch). A target
        of 0 contributes 0; the derivative with respect to it is minus infinity (PyTorch's is NaN).
    size_average, reduce : None
        What `reduction` was called once; refused.
    reduction : {"mean", "batchmean", "sum", "none"}
        ``"batchmean"`` divides the sum by the size of the first dimension, which is what the
        divergence of a batch means; ``"mean"`` divides by the number of elements.
    log_target : bool
        The target is given as logarithms too.

    Examples
    --------
    >>> import tinyconv as tc
    >>> import tinyconv.nn.functional as F
    >>> half = tc.tensor([[0.5, 0.5]])
    >>> round(F.kl_div(half.log(), tc.tensor([[1.0, 0.0]]), reduction="batchmean").item(), 4)
    0.6931
    """
    check_flags("kl_div", log_target=log_target)
    op = "kl_div"
    check_pair(op, input, target)
    check_reduction(op, reduction, size_average, reduce, ("batchmean", *REDUCTIONS))
    if log_target:
        each = exp(target) * (target - input)
    else:
        each = TimesLog.apply(target) - target * input
    if reduction != "batchmean":
        return reduce_loss(each, reduction)
    return sum_(each) / input.shape[0] if input.ndim else sum_(each)


@on_its_gpu
def poisson_nll_loss(
    input: Tensor,
    target: Tensor,
    log_input: bool = True,
    full: bool = False,
    size_average: bool | None = None,
    eps: float = 1e-8,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Negative log-likelihood of counts, with Poisson's distribution.

    Parameters
    ----------
    input : Tensor
        The predicted mean, or its logarithm.
    target : Tensor
        Counts, as floats, of the same shape (nothing is broadcast, as it would be in PyTorch).
    log_input : bool
        `input` is a logarithm: the loss is exp(input) - t input; else input - t log(input + eps).
    full : bool
        Add Stirling's approximation of log t!, t log t - t + log(2 pi t) / 2, where t > 1.
    eps : float
        Keeps the logarithm finite, above 0.
    size_average, reduce : None
        What `reduction` was called once; refused.
    reduction : {"mean", "sum", "none"}
    """
    check_flags("poisson_nll_loss", log_input=log_input, full=full)
    op = "poisson_nll_loss"
    check_pair(op, input, target)
    check_reduction(op, reduction, size_average, reduce)
    small = check_above_zero(op, "eps", eps)
    each = exp(input) - target * input if log_input else input - target * log(input + small)
    return reduce_loss(each + _stirling(target) if full else each, reduction)


def _stirling(t: Tensor) -> Tensor:
    large = Tensor(array_module(t.array).asarray(t.array > 1))
    safe = where(large, t, 1.0)
    return where(large, safe * log(safe) - safe + 0.5 * log(2 * pi * safe), 0.0)


@on_its_gpu
def gaussian_nll_loss(
    input: Tensor,
    target: Tensor,
    var: Tensor | float,
    full: bool = False,
    eps: float = 1e-6,
    reduction: str = "mean",
) -> Tensor:
    """Negative log-likelihood of numbers, with a normal distribution whose variance is predicted too.

    For each element ``(log(var) + (input - target)^2 / var) / 2``.

    Parameters
    ----------
    input : Tensor
        The predicted mean.
    target : Tensor
        Of the same shape (nothing is broadcast, as it would be in PyTorch).
    var : Tensor or number
        The predicted variance, at least 0: of the same shape, or with size 1 in one dimension, or
        without the last dimension.
    full : bool
        Add the constant log(2 pi) / 2.
    eps : float
        A variance below it counts as `eps`; its gradient is as if it were `eps`.
    reduction : {"mean", "sum", "none"}
    """
    check_flags("gaussian_nll_loss", full=full)
    op = "gaussian_nll_loss"
    check_pair(op, input, target)
    check_reduction(op, reduction)
    low = check_above_zero(op, "eps", eps)
    spread = _variance(op, input, var)
    spread = spread + Tensor((low - spread.array).clip(0, None))
    error = input - target
    each = 0.5 * (log(spread) + error * error / spread)
    return reduce_loss(each + 0.5 * log_of_number(2 * pi) if full else each, reduction)


def _variance(op: str, input: Tensor, var: Tensor | float) -> Tensor:
    """`var` as a tensor that broadcasts to the shape of `input`."""
    if not isinstance(var, Tensor):
        number = check_at_least(op, "var", var, 0)
        return Tensor(array_module(input.array).full(input.shape, number, input.dtype))
    check_same_dtype(op, input=input, var=check_float(op, "var", var))
    if unseen(var):
        var = nan_outside(var, 0, inf)
    elif (var.array < 0).any():
        raise ArgumentError(op, "var", f"{var.array.min()} somewhere", "variances >= 0")
    if var.shape == input.shape:
        return var
    if var.shape == input.shape[:-1]:
        return expand(unsqueeze(var, -1), input.shape)
    sizes = list(zip(var.shape, input.shape, strict=False))
    if var.ndim != input.ndim or [m for m, n in sizes if m != n] != [1]:
        expected = f"{input.shape}, or 1 in one dimension, or {input.shape[:-1]}"
        raise ShapeError(op, "var", f"of shape {var.shape}", expected)
    return var
