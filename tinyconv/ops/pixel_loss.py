"""Losses of segmentation that weigh pixels: the hard ones, or those between touching cells."""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import Any

from tinyconv.device import array_module
from tinyconv.errors import ArgumentError, ShapeError
from tinyconv.ops._checks import check_float, check_number, check_same_dtype
from tinyconv.ops._unseen import nan_outside, unseen
from tinyconv.ops.classification_loss import (
    check_class_weight,
    check_ignored,
    check_labels,
    check_scores,
    class_dim,
    classes_last,
    counted_labels,
    places_on_gpu,
    put_back,
)
from tinyconv.ops.elementwise import exp, where
from tinyconv.ops.loss_common import check_at_least, check_pair, check_reduction, checked_shares, reduce_loss
from tinyconv.ops.reduction import sum as sum_
from tinyconv.ops.shape import reshape
from tinyconv.ops.smooth_activation import logsigmoid
from tinyconv.ops.softmax import log_softmax
from tinyconv.recorder import computed
from tinyconv.tensor import Tensor


def binary_focal_loss_with_logits(
    input: Tensor,
    target: Tensor,
    alpha: float | None = 0.25,
    gamma: float = 2.0,
    reduction: str = "mean",
) -> Tensor:
    """Cross-entropy in which what is nearly right counts little (Lin et al. 2017).

    With p = sigmoid(input), for each element::

        -alpha t (1 - p)^gamma log p - (1 - alpha) (1 - t) p^gamma log(1 - p)

    Parameters
    ----------
    input : Tensor
        Logits, any shape.
    target : Tensor
        Targets between 0 and 1, of the same shape.
    alpha : float or None
        The weight of the positives, from 0 to 1; None weighs both by 1.
    gamma : float
        How much easy elements are held back, at least 0; 0 does not at all.
    reduction : {"mean", "sum", "none"}
        The mean is over all elements; the paper divides the sum by the number of positives.

    Examples
    --------
    >>> import tinyconv as tc
    >>> import tinyconv.nn.functional as F
    >>> loss = F.binary_focal_loss_with_logits(tc.zeros(1), tc.ones(1), alpha=None, gamma=1.0)
    >>> round(2 * loss.item(), 4)
    0.6931
    """
    op = "binary_focal_loss_with_logits"
    check_pair(op, input, target)
    target = checked_shares(op, "target", target, "masks of 0 and 255: divide by 255")
    if alpha is not None and not 0 <= check_number(op, "alpha", alpha) <= 1:
        raise ArgumentError(op, "alpha", repr(alpha), "a number from 0 to 1, or None")
    power = check_at_least(op, "gamma", gamma, 0)
    check_reduction(op, reduction)
    log_p, log_q = logsigmoid(input), logsigmoid(-input)
    ones = -target * exp(power * log_q) * log_p
    zeros = (target - 1) * exp(power * log_p) * log_q
    return reduce_loss(ones + zeros if alpha is None else alpha * ones + (1 - alpha) * zeros, reduction)


def focal_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    gamma: float = 2.0,
    ignore_index: int = -100,
    reduction: str = "mean",
) -> Tensor:
    """Cross-entropy of classes in which what is nearly right counts little (Lin et al. 2017).

    With p = softmax(input)[target], for each element ``-weight (1 - p)^gamma log p``.

    Parameters
    ----------
    input : Tensor
        Logits, shape (C,), (N, C) or (N, C, *spatial).
    target : Tensor
        Class numbers (integers), shape (), (N,) or (N, *spatial).
    weight : Tensor, optional
        Shape (C,): a factor for each class, the paper's alpha.
    gamma : float
        How much easy elements are held back, at least 0; 0 gives the cross-entropy.
    ignore_index : int
        Elements with this target contribute nothing.
    reduction : {"mean", "sum", "none"}
        The mean is over the elements that are not ignored, whatever their weight (unlike that
        of `cross_entropy`).
    """
    op = "focal_loss"
    classes = check_scores(op, input)
    check_reduction(op, reduction)
    check_class_weight(op, weight, classes, input)
    check_labels(op, input, target)
    power = check_at_least(op, "gamma", gamma, 0)
    log_p = classes_last(log_softmax(input, class_dim(input)))

    def cost(rows: Any, labels: Any) -> Tensor:
        counted = log_p if rows.size == log_p.shape[0] else log_p[rows]
        losses = -log_p[rows, labels] * _others(counted, labels, power)
        return losses if weight is None else losses * weight[labels]

    return _of_counted(op, cost, log_p, target, ignore_index, reduction)


def _others(log_p: Tensor, labels: Any, power: float) -> Tensor:
    """(1 - p)^power, where 1 - p is summed from the other classes: small ones keep their digits."""
    rest = sum_(where(_own_class(log_p, labels), 0.0, exp(log_p)), 1)
    certain = _is_zero(rest)
    return where(certain, 0.0, where(certain, 1.0, rest) ** power)


@computed
def _own_class(log_p: Tensor, labels: Any) -> Tensor:
    module = array_module(log_p.array)
    return Tensor(module.asarray(module.arange(log_p.shape[1]) == module.asarray(labels)[:, None]))


@computed
def _is_zero(x: Tensor) -> Tensor:
    return Tensor(array_module(x.array).asarray(x.array == 0))


def _of_counted(
    op: str,
    cost: Callable[[Any, Any], Tensor],
    log_p: Tensor,
    target: Tensor,
    ignore_index: int,
    reduction: str,
) -> Tensor:
    """What ``cost(rows, labels)`` says of the elements that are not ignored; their mean or their sum."""
    if unseen(target):
        rows, labels, counted, scale = places_on_gpu(log_p, target, check_ignored(op, ignore_index))
        losses = where(counted, cost(rows, labels) * scale, 0.0)
        if reduction == "none":
            return reshape(losses, target.shape)
        return sum_(losses) / sum_(scale) if reduction == "mean" else sum_(losses)
    rows, labels = counted_labels(op, target, log_p.shape[1], ignore_index)
    losses = cost(rows, labels)
    if reduction != "none":
        return reduce_loss(losses, reduction)
    return reshape(put_back(losses, rows, log_p.shape[0]), target.shape)


def weighted_pixel_cross_entropy(
    input: Tensor,
    target: Tensor,
    weight_map: Tensor,
    ignore_index: int = -100,
    reduction: str = "mean",
) -> Tensor:
    """Cross-entropy with a weight for each pixel, the U-Net's (Ronneberger et al. 2015).

    For each pixel ``-weight_map log softmax(input)[target]``. `tinyconv.data.border_weights` makes the
    paper's map, which is large between cells that nearly touch. (For a net that ends in a
    sigmoid, `binary_cross_entropy` takes the map as its `weight`.)

    Parameters
    ----------
    input : Tensor
        Logits, shape (N, C, *spatial).
    target : Tensor
        Class numbers (integers), shape (N, *spatial).
    weight_map : Tensor
        Weights, at least 0, shape (N, *spatial).
    ignore_index : int
        Pixels with this target contribute nothing.
    reduction : {"mean", "sum", "none"}
        The paper sums; the mean is over the pixels that are not ignored, whatever their weight.
    """
    op = "weighted_pixel_cross_entropy"
    check_scores(op, input)
    if input.ndim < 3:
        raise ShapeError(op, "input", f"of shape {input.shape}", "(N, C, *spatial)")
    check_labels(op, input, target)
    check_same_dtype(op, input=input, weight_map=check_float(op, "weight_map", weight_map))
    if weight_map.shape != target.shape:
        raise ShapeError(op, "weight_map", f"of shape {weight_map.shape}", f"the target's, {target.shape}")
    if unseen(weight_map):
        weight_map = nan_outside(weight_map, 0, inf)
    elif (weight_map.array < 0).any():
        raise ArgumentError(op, "weight_map", f"{weight_map.array.min()} somewhere", "weights >= 0")
    check_reduction(op, reduction)
    log_p = classes_last(log_softmax(input, 1))
    weights = reshape(weight_map, (weight_map.numel(),))

    def cost(rows: Any, labels: Any) -> Tensor:
        return -log_p[rows, labels] * (weights if rows.size == weights.numel() else weights[rows])

    return _of_counted(op, cost, log_p, target, ignore_index, reduction)
