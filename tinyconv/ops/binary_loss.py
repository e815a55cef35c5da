"""Losses of yes-or-no predictions: each element is a probability of its own."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyconv.autograd import Function
from tinyconv.device import array_module
from tinyconv.grad_mode import is_grad_enabled
from tinyconv.kernels import binary_loss as kernels
from tinyconv.ops.activation import sigmoid
from tinyconv.ops.elementwise import log, where
from tinyconv.ops.loss_common import check_factor, check_pair, check_reduction, checked_shares, reduce_loss
from tinyconv.ops.smooth_activation import logsigmoid
from tinyconv.recorder import computed
from tinyconv.tensor import Tensor

LOG_FLOOR = -100.0
VARIANCE_FLOOR = 1e-12


class BinaryCrossEntropy(Function):
    """-(t log p + (1 - t) log(1 - p)) per element, the logarithms not below -100."""

    @staticmethod
    def forward(ctx: Any, p: Tensor, target: Tensor) -> Any:
        ctx.save_for_backward(p, target)
        log_p, log_q = _floored_logs(p.array)
        return -(target.array * log_p + (1 - target.array) * log_q)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        p, target = ctx.saved_tensors
        needs_p, needs_target = ctx.needs_input_grad
        variance = p * (1 - p)
        lifted = _below_floor(variance)
        return (
            grad * (p - target) / (variance + lifted) if needs_p else None,
            grad * _negative_logit(p) if needs_target else None,
        )


class LogitsCrossEntropy(Function):
    """-(t log p + (1 - t) log(1 - p)) with p = sigmoid(x); the derivative by x is p - t, by t -x."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, target: Tensor) -> Any:
        ctx.save_for_backward(x, target)
        return kernels.logits_cross_entropy(x.array, target.array)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        x, target = ctx.saved_tensors
        needs_x, needs_target = ctx.needs_input_grad
        x_grad = None
        if needs_x and is_grad_enabled():
            x_grad = grad * (sigmoid(x) - target)
        elif needs_x:
            x_grad = LogitsCrossEntropyBackward.apply(grad, x, target)
        return x_grad, -grad * x if needs_target else None


class LogitsCrossEntropyBackward(Function):
    """grad (sigmoid(x) - t), where nothing is to be differentiated again."""

    @staticmethod
    def forward(ctx: Any, grad: Tensor, x: Tensor, target: Tensor) -> Any:
        return kernels.logits_cross_entropy_backward(grad.array, x.array, target.array)


@computed
def _below_floor(variance: Tensor) -> Tensor:
    return Tensor((VARIANCE_FLOOR - variance.array).clip(min=0))


def _floored_logs(p: Any) -> tuple[Any, Any]:
    module = array_module(p)
    with np.errstate(divide="ignore"):
        return module.log(p).clip(min=LOG_FLOOR), module.log1p(-p).clip(min=LOG_FLOOR)


def _negative_logit(p: Tensor) -> Tensor:
    """log(1 - p) - log p with floored logarithms, differentiable where neither is floored."""
    log_p, log_q = _floored_logs(p.array)
    inside = Tensor((log_p > LOG_FLOOR) & (log_q > LOG_FLOOR))
    safe = where(inside, p, 0.5)
    return where(inside, log(1 - safe) - log(safe), Tensor(log_q - log_p))


def binary_cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Cross-entropy of probabilities: -(t log p + (1 - t) log(1 - p)); logarithms are not below -100.

    Parameters
    ----------
    input : Tensor
        Probabilities, any shape.
    target : Tensor
        Targets between 0 and 1, of the same shape.
    weight : Tensor, optional
        A factor for each element, broadcast.
    size_average, reduce : None
        What `reduction` was called once; refused.
    reduction : {"mean", "sum", "none"}
    """
    op = "binary_cross_entropy"
    check_pair(op, input, target)
    check_reduction(op, reduction, size_average, reduce)
    p = checked_shares(op, "input", input, "probabilities: apply sigmoid")
    t = checked_shares(op, "target", target, "masks of 0 and 255: divide by 255")
    check_factor(op, "weight", weight, input)
    each = BinaryCrossEntropy.apply(p, t)
    return reduce_loss(each if weight is None else each * weight, reduction)


def binary_cross_entropy_with_logits(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    pos_weight: Tensor | None = None,
) -> Tensor:
    """`binary_cross_entropy` of ``sigmoid(input)``, computed without overflow.

    Parameters
    ----------
    input : Tensor
        Logits, any shape.
    target : Tensor
        Targets between 0 and 1, of the same shape.
    weight : Tensor, optional
        A factor for each element, broadcast.
    size_average, reduce : None
        What `reduction` was called once; refused.
    reduction : {"mean", "sum", "none"}
    pos_weight : Tensor, optional
        A factor for the positive part of each element, broadcast.
    """
    op = "binary_cross_entropy_with_logits"
    check_pair(op, input, target)
    check_reduction(op, reduction, size_average, reduce)
    target = checked_shares(op, "target", target, "masks of 0 and 255: divide by 255")
    check_factor(op, "weight", weight, input)
    check_factor(op, "pos_weight", pos_weight, input)
    if pos_weight is None:
        each = LogitsCrossEntropy.apply(input, target)
    else:
        positive = target * pos_weight
        each = -(positive * logsigmoid(input) + (1 - target) * logsigmoid(-input))
    return reduce_loss(each if weight is None else each * weight, reduction)
