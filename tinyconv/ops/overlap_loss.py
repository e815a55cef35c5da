"""Losses of segmentation that compare whole regions rather than pixels: Dice and its relatives."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyconv.device import array_module, on_its_gpu
from tinyconv.errors import ArgumentError, ShapeError
from tinyconv.ops._checks import check_float, check_same_dtype, is_int
from tinyconv.ops._unseen import unseen
from tinyconv.ops.classification_loss import check_labels, checked_classes
from tinyconv.ops.elementwise import where
from tinyconv.ops.loss_common import (
    check_at_least,
    check_pair,
    check_reduction,
    checked_shares,
    reduce_loss,
    times,
)
from tinyconv.ops.reduction import sum as sum_
from tinyconv.ops.shape import flatten, permute
from tinyconv.recorder import computed
from tinyconv.tensor import Tensor


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
    p, t = _regions("dice_loss", input, target, reduction)
    extra = check_at_least("dice_loss", "smooth", smooth, 0)
    overlap = sum_(p * t, 2)
    sizes = sum_(p, 2) + sum_(t, 2)
    return reduce_loss(1 - (2 * overlap + extra) / (sizes + extra), reduction)


@on_its_gpu
def generalised_dice_loss(input: Tensor, target: Tensor, reduction: str = "mean") -> Tensor:
    """1 - Dice overlap of all classes together, small ones weighing as much as large (Sudre et al. 2017).

    For each image, with the weight w_c = 1 / (sum of t_c)^2 of each class c::

        loss = 1 - 2 sum_c w_c sum(p_c t_c) / sum_c w_c sum(p_c + t_c)

    Parameters
    ----------
    input : Tensor
        Probabilities of the classes, shape (N, C, *spatial).
    target : Tensor
        A mask between 0 and 1 for each class, of the same shape; for class numbers, one-hot.
    reduction : {"mean", "sum", "none"}
        ``"none"`` gives shape (N,).

    Notes
    -----
    The paper leaves open what a class weighs that an image does not have (1 / 0): here as much
    as the class that weighs most there. Where neither mask nor prediction has anything at all,
    the loss is 0.

    Examples
    --------
    >>> import tinyconv as tc
    >>> import tinyconv.nn.functional as F
    >>> target = tc.tensor([[[1.0, 0.0, 0.0, 0.0], [0.0, 1.0, 1.0, 1.0]]])
    >>> F.generalised_dice_loss(target, target).item()
    0.0
    """
    p, t = _regions("generalised_dice_loss", input, target, reduction)
    volumes = sum_(t, 2)
    weights = _one_over_square(volumes)
    overlap, both = sum_(weights * sum_(p * t, 2), 1), sum_(weights * (sum_(p, 2) + volumes), 1)
    return reduce_loss(_share(both - 2 * overlap, both), reduction)


def _one_over_square(volumes: Tensor) -> Tensor:
    """1 / volume^2 for each class, divided by the largest of them in the image; 1 for absent classes.

    The loss does not change when all weights of an image are multiplied by one number.
    """
    module = array_module(volumes.array)
    there = volumes.array > 0
    smallest = module.where(there, volumes.array, np.inf).min(1, keepdims=True)
    smallest = Tensor(module.where(module.isinf(smallest), 1, smallest).astype(volumes.dtype))
    ratio = where(Tensor(there), smallest / where(Tensor(there), volumes, 1.0), 1.0)
    return ratio * ratio


def _share(part: Tensor, whole: Tensor) -> Tensor:
    """part / whole; 0 where the whole is 0."""
    nothing = _is_zero(whole)
    return where(nothing, 0.0, part / where(nothing, 1.0, whole))


@computed
def _is_zero(x: Tensor) -> Tensor:
    return Tensor(array_module(x.array).asarray(x.array == 0))


def tversky_loss(
    input: Tensor,
    target: Tensor,
    alpha: float = 0.3,
    beta: float = 0.7,
    smooth: float = 1.0,
    reduction: str = "mean",
) -> Tensor:
    """1 - Tversky index: false positives and false negatives have their own price (Salehi et al. 2017).

    For each image and channel, with TP = sum(p t), FP = sum(p (1 - t)), FN = sum((1 - p) t)::

        loss = 1 - (TP + smooth) / (TP + alpha FP + beta FN + smooth)

    alpha = beta = 1/2 is `dice_loss` with twice the `smooth`, alpha = beta = 1 is one minus the
    Jaccard index.

    Parameters
    ----------
    input : Tensor
        Probabilities, shape (N, C, *spatial).
    target : Tensor
        Masks between 0 and 1, of the same shape.
    alpha, beta : float
        What a false positive and a false negative cost, at least 0. The defaults are those that
        the paper found best for small lesions.
    smooth : float
        Keeps the loss of an empty mask finite, at least 0.
    reduction : {"mean", "sum", "none"}
        ``"none"`` gives shape (N, C).
    """
    op = "tversky_loss"
    p, t = _regions(op, input, target, reduction)
    prices = check_at_least(op, "alpha", alpha, 0), check_at_least(op, "beta", beta, 0)
    extra = check_at_least(op, "smooth", smooth, 0)
    right = sum_(p * t, 2)
    wrong = prices[0] * sum_(p * (1 - t), 2) + prices[1] * sum_((1 - p) * t, 2)
    return reduce_loss(_share(wrong, right + wrong + extra), reduction)


def generalised_wasserstein_dice_loss(
    input: Tensor,
    target: Tensor,
    distances: Tensor,
    background: int = 0,
    smooth: float = 1.0,
    reduction: str = "mean",
) -> Tensor:
    """1 - Dice overlap in which some confusions are worse than others (Fidon et al. 2017).

    `distances` says how far each class is from each other. At a pixel whose class is t, the
    prediction p is wrong by W = sum_c p_c distances[c, t], the Wasserstein distance between the
    two. With a = distances[t, background], for each image::

        loss = 1 - (2 sum(a (1 - W)) + smooth) / (2 sum(a (1 - W)) + sum(W) + smooth)

    Parameters
    ----------
    input : Tensor
        Probabilities of the classes, shape (N, C, *spatial).
    target : Tensor
        Class numbers (integers), shape (N, *spatial).
    distances : Tensor
        Shape (C, C): from 0 to 1, symmetric, 0 on the diagonal. With 1 everywhere else, and two
        classes, this is the Dice loss of the foreground.
    background : int
        The class whose pixels, like those that Dice does not count, are no success when right.
    smooth : float
        Keeps the loss of an empty image finite, at least 0.
    reduction : {"mean", "sum", "none"}
        ``"none"`` gives shape (N,).
    """
    op = "generalised_wasserstein_dice_loss"
    _check_image(op, check_float(op, "input", input))
    p = checked_shares(op, "input", input, "probabilities: apply softmax")
    classes = input.shape[1]
    check_labels(op, input, target)
    labels, is_class = checked_classes(op, target, classes, input)
    table = _checked_distances(op, input, distances)
    if not is_int(background, 0, classes - 1):
        raise ArgumentError(op, "background", repr(background), f"a class from 0 to {classes - 1}")
    extra = check_at_least(op, "smooth", smooth, 0)
    check_reduction(op, reduction)
    to_target = permute(table[:, labels], 1, 0, *range(2, input.ndim))
    error = flatten(times(sum_(p * to_target, 1), is_class), 1)
    counts = flatten(table[labels, background], 1)
    right, wrong = 2 * sum_(counts * (1 - error), 1), sum_(error, 1)
    return reduce_loss(_share(wrong, right + wrong + extra), reduction)


def _checked_distances(op: str, input: Tensor, distances: Any) -> Tensor:
    classes = input.shape[1]
    if check_float(op, "distances", distances).shape != (classes, classes):
        raise ShapeError(op, "distances", f"of shape {distances.shape}", f"({classes}, {classes})")
    check_same_dtype(op, input=input, distances=distances)
    shares = checked_shares(op, "distances", distances, "divide by the largest")
    wrong = _is_no_distance(distances)
    if unseen(distances):
        return where(wrong, np.nan, shares)
    if bool(wrong.array.any()):
        raise ArgumentError(op, "distances", distances.tolist(), "symmetric, with 0 on the diagonal")
    return shares


@computed
def _is_no_distance(distances: Tensor) -> Tensor:
    table = distances.array
    module = array_module(table)
    return Tensor((table != table.T) | ((table != 0) & (module.eye(len(table)) == 1)))


def _regions(op: str, input: Tensor, target: Tensor, reduction: str) -> tuple[Tensor, Tensor]:
    """Checked probabilities and masks, each as (N, C, pixels)."""
    check_pair(op, input, target)
    p = checked_shares(op, "input", input, "probabilities: apply sigmoid or softmax")
    t = checked_shares(op, "target", target, "masks of 0 and 255: divide by 255")
    check_reduction(op, reduction)
    _check_image(op, input)
    return flatten(p, 2), flatten(t, 2)


def _check_image(op: str, input: Tensor) -> None:
    if input.ndim < 3 or input.shape[1] == 0:
        raise ShapeError(op, "input", f"of shape {input.shape}", "(N, C, *spatial)")
