"""Losses of predicted numbers: squared, absolute, and what is squared near zero and absolute far away."""

from __future__ import annotations

from math import inf
from typing import Any

from tinyconv.autograd import Function
from tinyconv.device import array_module
from tinyconv.errors import ArgumentError
from tinyconv.ops.extremes import clamp
from tinyconv.ops.loss_common import (
    check_above_zero,
    check_at_least,
    check_like,
    check_pair,
    check_reduction,
    reduce_loss,
    refuse_legacy,
)
from tinyconv.ops.reduction import sum as sum_
from tinyconv.ops.unary import abs as abs_
from tinyconv.tensor import Tensor


class SmoothL1(Function):
    """y = d^2 / (2 beta) where |d| < beta, else |d| - beta / 2; the derivative is d / beta, from -1 to 1."""

    @staticmethod
    def forward(ctx: Any, d: Tensor, beta: float) -> Any:
        ctx.save_for_backward(d)
        ctx.beta = beta
        size = abs(d.array)
        near = size.clip(None, beta)
        return array_module(d.array).asarray(near / beta * (size - near / 2))

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        (d,) = ctx.saved_tensors
        return grad * clamp(d, -ctx.beta, ctx.beta) / ctx.beta, None


def mse_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    weight: Tensor | None = None,
) -> Tensor:
    """Squared error, (input - target)^2.

    Parameters
    ----------
    input, target : Tensor
        Of one shape; nothing is broadcast (PyTorch would, with a warning).
    size_average, reduce : None
        What `reduction` was called once; refused.
    reduction : {"mean", "sum", "none"}
    weight : Tensor, optional
        A factor for each element, of the same shape; the mean is the weighted mean.
    """
    refuse_legacy("mse_loss", size_average, reduce)
    _check("mse_loss", input, target, reduction, weight)
    difference = input - target
    return _weighted(difference * difference, reduction, weight)


def l1_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    weight: Tensor | None = None,
) -> Tensor:
    """Absolute error, \\|input - target\\|; its derivative is 0 where the two are equal.

    Parameters
    ----------
    input, target : Tensor
        Of one shape; nothing is broadcast (PyTorch would, with a warning).
    size_average, reduce : None
        What `reduction` was called once; refused.
    reduction : {"mean", "sum", "none"}
    weight : Tensor, optional
        A factor for each element, of the same shape; the mean is the weighted mean.

    Examples
    --------
    >>> import tinyconv as tc
    >>> import tinyconv.nn.functional as F
    >>> F.l1_loss(tc.tensor([1.0, 4.0]), tc.tensor([2.0, 2.0])).item()
    1.5
    """
    refuse_legacy("l1_loss", size_average, reduce)
    _check("l1_loss", input, target, reduction, weight)
    return _weighted(abs_(input - target), reduction, weight)


def smooth_l1_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    beta: float = 1.0,
) -> Tensor:
    """Squared error near zero, absolute error far away, joined smoothly (Girshick 2015, Fast R-CNN).

    With d = input - target::

        d^2 / (2 beta)   where |d| < beta
        |d| - beta / 2   elsewhere

    Parameters
    ----------
    input, target : Tensor
        Of one shape; nothing is broadcast (PyTorch would, with a warning).
    size_average, reduce : None
        What `reduction` was called once; refused.
    reduction : {"mean", "sum", "none"}
    beta : float
        Where the two meet, at least 0; 0 gives `l1_loss`.
    """
    op = "smooth_l1_loss"
    refuse_legacy(op, size_average, reduce)
    _check(op, input, target, reduction)
    width = check_at_least(op, "beta", beta, 0)
    difference = input - target
    return reduce_loss(SmoothL1.apply(difference, width) if width else abs_(difference), reduction)


def huber_loss(
    input: Tensor,
    target: Tensor,
    reduction: str = "mean",
    delta: float = 1.0,
    weight: Tensor | None = None,
) -> Tensor:
    """Squared error near zero, absolute error far away (Huber 1964): delta times `smooth_l1_loss`.

    With d = input - target::

        d^2 / 2                     where |d| < delta
        delta * (|d| - delta / 2)   elsewhere

    Parameters
    ----------
    input, target : Tensor
        Of one shape; nothing is broadcast (PyTorch would, with a warning).
    reduction : {"mean", "sum", "none"}
    delta : float
        Where the two meet, above 0.
    weight : Tensor, optional
        A factor for each element, of the same shape. Unlike in `l1_loss`, and as in PyTorch,
        the mean is over the number of elements.
    """
    op = "huber_loss"
    _check(op, input, target, reduction, weight)
    width = check_above_zero(op, "delta", delta)
    if width == inf:
        raise ArgumentError(op, "delta", repr(delta), "a finite number: mse_loss is twice the limit")
    each = SmoothL1.apply(input - target, width) * width
    return reduce_loss(each if weight is None else each * weight, reduction)


def _check(op: str, input: Tensor, target: Tensor, reduction: str, weight: Tensor | None = None) -> None:
    check_pair(op, input, target)
    check_reduction(op, reduction)
    if weight is not None:
        check_like(op, input=input, weight=weight)


def _weighted(each: Tensor, reduction: str, weight: Tensor | None) -> Tensor:
    if weight is None:
        return reduce_loss(each, reduction)
    weighted = each * weight
    return sum_(weighted) / sum_(weight) if reduction == "mean" else reduce_loss(weighted, reduction)
