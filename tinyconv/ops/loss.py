"""Losses: how wrong a prediction is, as one number to descend on.

They are compositions of other ops, so their derivatives need no lines of their own. The two
exceptions are where the composition would divide by zero or overflow.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyconv.autograd import Function
from tinyconv.device import array_module
from tinyconv.errors import ArgumentError, DtypeError, ShapeError
from tinyconv.kernels import activation as activation_kernels
from tinyconv.ops._checks import check_choice, check_float, check_same_dtype, check_tensor
from tinyconv.ops.activation import sigmoid
from tinyconv.ops.elementwise import log, where
from tinyconv.ops.reduction import mean
from tinyconv.ops.reduction import sum as sum_
from tinyconv.ops.shape import flatten, permute, reshape
from tinyconv.ops.softmax import log_softmax
from tinyconv.tensor import Tensor

REDUCTIONS = ("mean", "sum", "none")
LOG_FLOOR = -100.0
VARIANCE_FLOOR = 1e-12


def reduce_loss(loss: Tensor, reduction: str) -> Tensor:
    """The mean, the sum, or each element as it is."""
    return {"mean": mean, "sum": sum_, "none": lambda each: each}[reduction](loss)


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
        lifted = Tensor((VARIANCE_FLOOR - variance.array).clip(min=0))
        return (
            grad * (p - target) / (variance + lifted) if needs_p else None,
            grad * _negative_logit(p) if needs_target else None,
        )


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


class Softplus(Function):
    """y = log(1 + e^x) = max(x, 0) + log(1 + e^-|x|), whose derivative is the sigmoid."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Any:
        ctx.save_for_backward(x)
        module = array_module(x.array)
        return activation_kernels.relu(x.array) + module.log1p(module.exp(-abs(x.array)))

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        (x,) = ctx.saved_tensors
        return grad * sigmoid(x)


def cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    """Categorical cross-entropy of logits: -log softmax(input)[target].

    Parameters
    ----------
    input : Tensor
        Logits, shape (C,), (N, C) or (N, C, *spatial).
    target : Tensor
        Class numbers (integers), shape (), (N,) or (N, *spatial); or probabilities, in the
        input's shape.
    weight : Tensor, optional
        Shape (C,): a factor for each class; the mean is the weighted mean.
    ignore_index : int
        Elements with this target contribute nothing.
    reduction : {"mean", "sum", "none"}
    label_smoothing : float
        Share of each target, from 0 to 1, that is spread over all classes.

    Examples
    --------
    >>> import tinyconv as tc
    >>> import tinyconv.nn.functional as F
    >>> round(F.cross_entropy(tc.zeros(3, 10), tc.tensor([0, 5, 9])).item(), 4)
    2.3026
    """
    op = "cross_entropy"
    check_float(op, "input", input)
    check_choice(op, "reduction", reduction, REDUCTIONS)
    if not 0 <= label_smoothing <= 1:
        raise ArgumentError(op, "label_smoothing", label_smoothing, "a number from 0 to 1")
    if input.ndim == 0:
        raise ShapeError(op, "input", f"of shape {input.shape}", "(C,), (N, C) or (N, C, *spatial)")
    classes = input.shape[int(input.ndim > 1)]
    if classes == 0:
        raise ShapeError(op, "input", f"of shape {input.shape}", "at least one class")
    if weight is not None and check_float(op, "weight", weight).shape != (classes,):
        raise ShapeError(op, "weight", f"of shape {weight.shape}", f"({classes},), one number per class")
    soft = check_tensor(op, "target", target).dtype.kind == "f"
    expected = input.shape if soft else (*input.shape[:1], *input.shape[2:]) if input.ndim > 1 else ()
    check_same_dtype(op, input=input, target=target if soft else None, weight=weight)
    if target.shape != expected:
        raise ShapeError(op, "target", f"of shape {target.shape}", f"{expected} for input {input.shape}")
    log_p = _classes_last(log_softmax(input, int(input.ndim > 1)))
    factors = Tensor(array_module(input.array).ones(classes, input.dtype)) if weight is None else weight
    if soft:
        probabilities = _classes_last(target) * (1 - label_smoothing) + label_smoothing / classes
        each = -sum_(log_p * probabilities * factors, 1)
        total = Tensor(array_module(input.array).asarray(max(each.numel(), 1), input.dtype))
    else:
        each, total = _class_losses(op, log_p, target, factors, ignore_index, label_smoothing)
    if reduction == "none":
        return reshape(each, expected if not soft else (*input.shape[:1], *input.shape[2:])[: input.ndim - 1])
    return sum_(each) / total if reduction == "mean" else sum_(each)


def _classes_last(x: Tensor) -> Tensor:
    """(N, C, *spatial) to (N * spatial, C)."""
    if x.ndim > 2:
        x = permute(x, 0, *range(2, x.ndim), 1)
    return reshape(x, (-1, x.shape[-1])) if x.numel() else reshape(x, (0, x.shape[-1]))


def _class_losses(
    op: str, log_p: Tensor, target: Tensor, factors: Tensor, ignore_index: int, label_smoothing: float
) -> tuple[Tensor, Tensor]:
    """The loss of each element, and the sum of the weights that a mean is divided by."""
    labels = target.array.reshape(-1)
    if labels.dtype.kind not in "iu":
        raise DtypeError(
            op, "target", f"of dtype {target.dtype}", "integers (classes) or floats (probabilities)"
        )
    counted = labels != ignore_index
    classes = log_p.shape[1]
    wrong = counted & ((labels < 0) | (labels >= classes))
    if wrong.any():
        raise ArgumentError(op, "target", f"{labels[wrong][0]} somewhere", f"classes from 0 to {classes - 1}")
    rows = array_module(labels).arange(labels.size)[counted]
    classes_of_rows = labels[counted]
    weights = factors[classes_of_rows]
    counted_losses = -log_p[rows, classes_of_rows] * weights * (1 - label_smoothing)
    if label_smoothing:
        counted_losses = counted_losses - sum_(log_p[rows] * factors, 1) * (label_smoothing / classes)
    if rows.size == labels.size:
        return counted_losses, sum_(weights)
    from tinyconv.ops.shape import IndexScatter

    return IndexScatter.apply(counted_losses, rows, (labels.size,)), sum_(weights)


def binary_cross_entropy(
    input: Tensor, target: Tensor, weight: Tensor | None = None, reduction: str = "mean"
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
    reduction : {"mean", "sum", "none"}
    """
    op = "binary_cross_entropy"
    _check_pair(op, input, target)
    check_choice(op, "reduction", reduction, REDUCTIONS)
    if input.numel() and not 0 <= input.array.min() <= input.array.max() <= 1:
        low, high = input.array.min(), input.array.max()
        raise ArgumentError(
            op, "input", f"from {low} to {high}", "probabilities between 0 and 1 (apply sigmoid)"
        )
    _check_factor(op, "weight", weight, input)
    each = BinaryCrossEntropy.apply(input, target)
    return reduce_loss(each if weight is None else each * weight, reduction)


def binary_cross_entropy_with_logits(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
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
    reduction : {"mean", "sum", "none"}
    pos_weight : Tensor, optional
        A factor for the positive part of each element, broadcast.
    """
    op = "binary_cross_entropy_with_logits"
    _check_pair(op, input, target)
    check_choice(op, "reduction", reduction, REDUCTIONS)
    _check_factor(op, "weight", weight, input)
    _check_factor(op, "pos_weight", pos_weight, input)
    positive = target if pos_weight is None else target * pos_weight
    each = positive * Softplus.apply(-input) + (1 - target) * Softplus.apply(input)
    return reduce_loss(each if weight is None else each * weight, reduction)


def mse_loss(input: Tensor, target: Tensor, reduction: str = "mean") -> Tensor:
    """Squared error, (input - target)^2."""
    _check_pair("mse_loss", input, target)
    check_choice("mse_loss", "reduction", reduction, REDUCTIONS)
    difference = input - target
    return reduce_loss(difference * difference, reduction)


def dice_loss(input: Tensor, target: Tensor, smooth: float = 1.0, reduction: str = "mean") -> Tensor:
    """1 - Dice overlap of probabilities and mask (Milletari et al. 2016, with sums not squared).

    For each image and channel::

        loss = 1 - (2 sum(p t) + smooth) / (sum(p) + sum(t) + smooth)

    Parameters
    ----------
    input : Tensor
        Probabilities, shape (N, C, *spatial).
    target : Tensor
        Masks between 0 and 1, of the same shape.
    smooth : float
        Keeps the loss of an empty mask finite.
    reduction : {"mean", "sum", "none"}
        ``"none"`` gives shape (N, C).
    """
    _check_pair("dice_loss", input, target)
    check_choice("dice_loss", "reduction", reduction, REDUCTIONS)
    if input.ndim < 3:
        raise ShapeError("dice_loss", "input", f"of shape {input.shape}", "(N, C, *spatial)")
    p, t = flatten(input, 2), flatten(target, 2)
    overlap = sum_(p * t, 2)
    sizes = sum_(p, 2) + sum_(t, 2)
    return reduce_loss(1 - (2 * overlap + smooth) / (sizes + smooth), reduction)


def _check_pair(op: str, input: Tensor, target: Tensor) -> None:
    check_float(op, "input", input)
    check_float(op, "target", target)
    check_same_dtype(op, input=input, target=target)
    if input.shape != target.shape:
        raise ShapeError(op, "target", f"of shape {target.shape}", f"the input's shape, {input.shape}")


def _check_factor(op: str, argument: str, factor: Tensor | None, input: Tensor) -> None:
    """`factor` is None, or a tensor that broadcasts to the shape of `input`."""
    if factor is None:
        return
    check_same_dtype(op, input=input, **{argument: check_float(op, argument, factor)})
    sizes = zip(reversed(factor.shape), reversed(input.shape), strict=False)
    if factor.ndim > input.ndim or any(m not in (1, n) for m, n in sizes):
        raise ShapeError(op, argument, f"of shape {factor.shape}", f"one that broadcasts to {input.shape}")
