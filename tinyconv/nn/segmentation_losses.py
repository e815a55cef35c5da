"""Losses of segmentation, as modules."""

from __future__ import annotations

from tinyconv.nn import functional as F
from tinyconv.nn.module import Module
from tinyconv.tensor import Tensor


class DiceLoss(Module):
    """`functional.dice_loss`."""

    def __init__(self, smooth: float = 1.0, reduction: str = "mean") -> None:
        super().__init__()
        self.smooth, self.reduction = smooth, reduction

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.dice_loss(input, target, self.smooth, self.reduction)
