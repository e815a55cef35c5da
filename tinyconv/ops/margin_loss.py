"""Margins between classes: what is right should score higher than what is wrong by a margin.

The derivative at the margin itself is 0, as in PyTorch.
"""

from __future__ import annotations

from typing import Any

from tinyconv.device import array_module, on_its_gpu
from tinyconv.errors import ArgumentError, DtypeError, ShapeError
from tinyconv.ops._checks import check_float, check_number, check_same_device, check_tensor, is_int
from tinyconv.ops._unseen import unseen
from tinyconv.ops.classification_loss import (
    check_class_weight,
    check_label_range,
    check_labels,
    checked_classes,
)
from tinyconv.ops.elementwise import where
from tinyconv.ops.loss_common import check_factor, check_pair, check_reduction, reduce_loss, times
from tinyconv.ops.reduction import sum as sum_
from tinyconv.ops.shape import reshape, unsqueeze
from tinyconv.ops.smooth_activation import logsigmoid
from tinyconv.tensor import Tensor


@on_its_gpu
def multi_margin_loss(
    input: Tensor,
    target: Tensor,
    p: int = 1,
    margin: float = 1.0,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """How much is missing until the right class scores higher than each other one by `margin`.

    For each row ``sum over j != target of weight[target] max(0, margin - input[target] + input[j])^p / C``.

    Parameters
    ----------
    input : Tensor
        Scores, shape (N, C) or (C,).
    target : Tensor
        Class numbers, shape (N,) or ().
    p : int
        1 or 2.
    margin : float
    weight : Tensor, optional
        Shape (C,).
    size_average, reduce : None
        What `reduction` was called once; refused.
    reduction : {"mean", "sum", "none"}
    """
    op = "multi_margin_loss"
    _check_rows(op, input)
    classes = input.shape[-1]
    check_reduction(op, reduction, size_average, reduce)
    if not is_int(p, 1, 2):
        raise ArgumentError(op, "p", repr(p), "1 or 2")
    limit = check_number(op, "margin", margin)
    check_class_weight(op, weight, classes, input)
    check_labels(op, input, target)
    labels, is_class = checked_classes(op, reshape(target, (target.numel(),)), classes, input)
    rows = array_module(labels).arange(labels.size)
    scores = reshape(input, (labels.size, classes))
    missing = limit - unsqueeze(scores[rows, labels], 1) + scores
    counts = missing.array > 0
    counts[rows, labels] = False
    costs = where(Tensor(counts), missing, 0.0)
    costs = costs * costs if p == 2 else costs
    each = times(sum_(costs, 1) / classes, is_class)
    each = each if weight is None else each * weight[labels]
    return reduce_loss(reshape(each, target.shape), reduction)


@on_its_gpu
def multilabel_margin_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """How much is missing until each right class scores higher than each wrong one by 1.

    For each row ``sum over right j and wrong i of max(0, 1 - input[j] + input[i]) / C``.

    Parameters
    ----------
    input : Tensor
        Scores, shape (N, C) or (C,).
    target : Tensor
        The numbers of the right classes, in the input's shape: those of a row end at the first -1.
    size_average, reduce : None
        What `reduction` was called once; refused.
    reduction : {"mean", "sum", "none"}

    Examples
    --------
    >>> import tinyconv as tc
    >>> import tinyconv.nn.functional as F
    >>> scores, right = tc.tensor([[0.1, 0.2, 0.4, 0.8]]), tc.tensor([[3, 0, -1, 1]])
    >>> round(F.multilabel_margin_loss(scores, right).item(), 4)
    0.85
    """
    op = "multilabel_margin_loss"
    _check_rows(op, input)
    check_reduction(op, reduction, size_average, reduce)
    check_same_device(op, input, target)
    if check_tensor(op, "target", target).dtype.kind not in "iu":
        raise DtypeError(op, "target", f"of dtype {target.dtype}", "integers (classes)")
    if target.shape != input.shape:
        raise ShapeError(op, "target", f"of shape {target.shape}", f"{input.shape}, the input's")
    classes = input.shape[-1]
    scores = reshape(input, (-1, classes))
    named, is_class = _times_named(op, target.array.reshape(-1, classes), input)
    missing = 1 - unsqueeze(scores, 2) + unsqueeze(scores, 1)
    pairs = (missing.array > 0) * named[:, :, None] * (named[:, None, :] == 0)
    each = times(sum_(missing * Tensor(pairs.astype(input.dtype)), (1, 2)) / classes, is_class)
    return reduce_loss(reshape(each, input.shape[:-1]), reduction)


def soft_margin_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """The logistic loss of scores, ``log(1 + exp(-target * input))``, without overflow.

    Parameters
    ----------
    input : Tensor
    target : Tensor
        1 or -1, as floats, of the same shape.
    size_average, reduce : None
        What `reduction` was called once; refused.
    reduction : {"mean", "sum", "none"}
    """
    op = "soft_margin_loss"
    check_pair(op, input, target)
    check_reduction(op, reduction, size_average, reduce)
    return reduce_loss(-logsigmoid(target * input), reduction)


def multilabel_soft_margin_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """`binary_cross_entropy_with_logits` of several classes, averaged over the last dimension.

    Parameters
    ----------
    input : Tensor
        Logits, shape (..., C).
    target : Tensor
        0 or 1, as floats, of the same shape.
    weight : Tensor, optional
        A factor for each element, broadcast: shape (C,) is one per class.
    size_average, reduce : None
        What `reduction` was called once; refused.
    reduction : {"mean", "sum", "none"}
        ``"none"`` gives shape (...).
    """
    op = "multilabel_soft_margin_loss"
    check_pair(op, input, target)
    if input.ndim == 0 or input.shape[-1] == 0:
        raise ShapeError(op, "input", f"of shape {input.shape}", "(..., C), at least one class")
    check_reduction(op, reduction, size_average, reduce)
    check_factor(op, "weight", weight, input)
    each = -(target * logsigmoid(input) + (1 - target) * logsigmoid(-input))
    each = each if weight is None else each * weight
    return reduce_loss(sum_(each, -1) / input.shape[-1], reduction)


def _check_rows(op: str, input: Tensor) -> None:
    if check_float(op, "input", input).ndim not in (1, 2) or input.shape[-1] == 0:
        raise ShapeError(op, "input", f"of shape {input.shape}", "(N, C) or (C,), at least one class")


def _times_named(op: str, labels: Any, input: Tensor) -> tuple[Any, Tensor | None]:
    """How often each row names each class before its first -1; on a GPU also 1, or NaN for no class."""
    xp = array_module(labels)
    classes = labels.shape[1]
    named = xp.cumsum(labels == -1, axis=1) == 0
    counts = (named[:, :, None] & (labels[:, :, None] == xp.arange(classes))).sum(1)
    if not unseen(input):
        check_label_range(op, labels[named], classes)
        return counts, None
    right = (~named | ((labels >= 0) & (labels < classes))).all(1)
    return counts, Tensor(xp.where(right, 1.0, xp.nan).astype(input.dtype))
