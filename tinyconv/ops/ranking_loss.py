"""Losses that compare: which of two is larger, which of two is nearer, alike or not.

Each stops at a margin: what is right by more than that costs nothing. The derivative at the
margin itself is PyTorch's, that of the side where it still costs.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tinyconv.device import array_module, on_its_gpu
from tinyconv.errors import ArgumentError, ShapeError
from tinyconv.ops._checks import check_flags, check_float, check_number, check_same_device
from tinyconv.ops.distance import pairwise_distance
from tinyconv.ops.elementwise import where
from tinyconv.ops.extremes import clamp, minimum
from tinyconv.ops.loss_common import (
    check_above_zero,
    check_at_least,
    check_like,
    check_reduction,
    check_signs,
    reduce_loss,
    times,
)
from tinyconv.ops.reduction import sum as sum_
from tinyconv.ops.unary import sqrt
from tinyconv.tensor import Tensor

SQUARED_LENGTH_FLOOR = float(np.float32(1e-12))
"""PyTorch's, which is rounded to float32: near vectors of zeros the difference shows in float64."""


@on_its_gpu
def hinge_embedding_loss(
    input: Tensor,
    target: Tensor,
    margin: float = 1.0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """The distance of pairs that are alike; how much pairs that are not are nearer than `margin`.

    For each element ``input`` where the target is 1, ``max(0, margin - input)`` where it is -1.

    Parameters
    ----------
    input : Tensor
        Distances.
    target : Tensor
        1 or -1 (PyTorch lets other numbers pass), of the same shape.
    margin : float
    size_average, reduce : None
        What `reduction` was called once; refused.
    reduction : {"mean", "sum", "none"}
    """
    op = "hinge_embedding_loss"
    check_float(op, "input", input)
    check_same_device(op, input, target)
    sign = check_signs(op, target, input.shape, input)
    limit = check_number(op, "margin", margin)
    check_reduction(op, reduction, size_average, reduce)
    each = where(_is_one(target), input, clamp(limit - input, min=0))
    return reduce_loss(times(each, sign), reduction)


def margin_ranking_loss(
    input1: Tensor,
    input2: Tensor,
    target: Tensor,
    margin: float = 0.0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """How much is missing until the one that should be larger is so by `margin`.

    For each element ``max(0, -target (input1 - input2) + margin)``.

    Parameters
    ----------
    input1, input2 : Tensor
        Scores, of one shape (nothing is broadcast, as it would be in PyTorch).
    target : Tensor
        1 where `input1` should be larger, -1 where `input2` should (PyTorch lets other numbers
        pass), of the same shape.
    margin : float
    size_average, reduce : None
        What `reduction` was called once; refused.
    reduction : {"mean", "sum", "none"}

    Examples
    --------
    >>> import tinyconv as tc
    >>> import tinyconv.nn.functional as F
    >>> F.margin_ranking_loss(tc.tensor([2.0, 1.0]), tc.tensor([1.0, 4.0]), tc.tensor([1, 1])).item()
    1.5
    """
    op = "margin_ranking_loss"
    check_like(op, input1=input1, input2=input2)
    check_same_device(op, input1, target)
    sign = check_signs(op, target, input1.shape, input1)
    limit = check_number(op, "margin", margin)
    check_reduction(op, reduction, size_average, reduce)
    each = clamp(limit - target * (input1 - input2), min=0)
    return reduce_loss(times(each, sign), reduction)


@on_its_gpu
def triplet_margin_loss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    margin: float = 1.0,
    p: float = 2.0,
    eps: float = 1e-6,
    swap: bool = False,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """How much is missing until the negative is farther than the positive by `margin`.

    For each vector ``max(0, distance(anchor, positive) - distance(anchor, negative) + margin)``
    (Balntas et al. 2016).

    Parameters
    ----------
    anchor, positive, negative : Tensor
        Vectors, of one shape (..., D) (nothing is broadcast, as it would be in PyTorch); D >= 1.
    margin : float
        Above 0.
    p : float
        Which norm, above 0 (PyTorch takes others too); ``inf`` is the largest difference.
    eps : float
        Added to each difference, at least 0; see `pairwise_distance`.
    swap : bool
        Let the positive be the anchor where it is nearer to the negative.
    size_average, reduce : None
        What `reduction` was called once; refused.
    reduction : {"mean", "sum", "none"}
        ``"none"`` gives shape (...).
    """
    check_flags("triplet_margin_loss", swap=swap)
    op = "triplet_margin_loss"
    check_like(op, anchor=anchor, positive=positive, negative=negative)
    if anchor.ndim == 0 or anchor.shape[-1] == 0:
        raise ShapeError(op, "anchor", f"of shape {anchor.shape}", "(..., D), D at least 1")
    limit = check_above_zero(op, "margin", margin)
    order, small = check_above_zero(op, "p", p), check_at_least(op, "eps", eps, 0)
    check_reduction(op, reduction, size_average, reduce)
    near = pairwise_distance(anchor, positive, order, small)
    far = pairwise_distance(anchor, negative, order, small)
    if swap:
        far = minimum(far, pairwise_distance(positive, negative, order, small))
    return reduce_loss(clamp(limit + near - far, min=0), reduction)


def triplet_margin_with_distance_loss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    *,
    distance_function: Callable[[Tensor, Tensor], Tensor] | None = None,
    margin: float = 1.0,
    swap: bool = False,
    reduction: str = "mean",
) -> Tensor:
    """`triplet_margin_loss` with a distance of one's own, instead of `pairwise_distance`."""
    check_flags("triplet_margin_with_distance_loss", swap=swap)
    op = "triplet_margin_with_distance_loss"
    check_like(op, anchor=anchor, positive=positive, negative=negative)
    limit = check_above_zero(op, "margin", margin)
    check_reduction(op, reduction)
    distance = pairwise_distance if distance_function is None else distance_function
    if not callable(distance):
        raise ArgumentError(op, "distance_function", repr(distance), "a function of two tensors, or None")
    near, far = distance(anchor, positive), distance(anchor, negative)
    if swap:
        far = minimum(far, distance(positive, negative))
    return reduce_loss(clamp(limit + near - far, min=0), reduction)


@on_its_gpu
def cosine_embedding_loss(
    input1: Tensor,
    input2: Tensor,
    target: Tensor,
    margin: float = 0.0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """How far the directions of pairs that are alike differ, how much others are alike.

    For each pair ``1 - cos`` where the target is 1, ``max(0, cos - margin)`` where it is -1.

    Parameters
    ----------
    input1, input2 : Tensor
        Vectors, shape (N, D) or (D,), both the same (nothing is broadcast, as it would be in
        PyTorch).
    target : Tensor
        1 or -1 (PyTorch lets other numbers pass), shape (N,) or ().
    margin : float
        From -1 to 1; 0 to 0.5 is usual.
    size_average, reduce : None
        What `reduction` was called once; refused.
    reduction : {"mean", "sum", "none"}
    """
    op = "cosine_embedding_loss"
    check_like(op, input1=input1, input2=input2)
    check_same_device(op, input1, target)
    if input1.ndim not in (1, 2):
        raise ShapeError(op, "input1", f"of shape {input1.shape}", "(N, D) or (D,)")
    sign = check_signs(op, target, input1.shape[:-1], input1)
    limit = check_number(op, "margin", margin)
    if not -1 <= limit <= 1:
        raise ArgumentError(op, "margin", repr(margin), "a number from -1 to 1")
    check_reduction(op, reduction, size_average, reduce)
    squares = [sum_(x * x, -1) + SQUARED_LENGTH_FLOOR for x in (input1, input2)]
    cosine = sum_(input1 * input2, -1) / sqrt(squares[0] * squares[1])
    each = where(_is_one(target), 1 - cosine, clamp(cosine - limit, min=0))
    return reduce_loss(times(each, sign), reduction)


def _is_one(target: Tensor) -> Tensor:
    return Tensor(array_module(target.array).asarray(target.array == 1))
