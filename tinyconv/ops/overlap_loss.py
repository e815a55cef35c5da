"""Losses of segmentation that compare whole regions rather than pixels: Dice and its relatives."""

from __future__ import annotations

from tinyconv.errors import ShapeError
from tinyconv.ops._checks import check_choice
from tinyconv.ops.loss_common import REDUCTIONS, check_pair, check_shares, reduce_loss
from tinyconv.ops.reduction import sum as sum_
from tinyconv.ops.shape import flatten
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
    check_pair("dice_loss", input, target)
    check_shares("dice_loss", "input", input, "probabilities: apply sigmoid or softmax")
    check_shares("dice_loss", "target", target, "masks of 0 and 255: divide by 255")
    check_choice("dice_loss", "reduction", reduction, REDUCTIONS)
    if input.ndim < 3:
        raise ShapeError("dice_loss", "input", f"of shape {input.shape}", "(N, C, *spatial)")
    p, t = flatten(input, 2), flatten(target, 2)
    overlap = sum_(p * t, 2)
    sizes = sum_(p, 2) + sum_(t, 2)
    return reduce_loss(1 - (2 * overlap + smooth) / (sizes + smooth), reduction)
