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


class GeneralisedDiceLoss(Module):
    """`functional.generalised_dice_loss`."""

    def __init__(self, reduction: str = "mean") -> None:
        super().__init__()
        self.reduction = reduction

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.generalised_dice_loss(input, target, self.reduction)


class GeneralisedWassersteinDiceLoss(Module):
    """`functional.generalised_wasserstein_dice_loss`; `distances` is a buffer."""

    def __init__(
        self, distances: Tensor, background: int = 0, smooth: float = 1.0, reduction: str = "mean"
    ) -> None:
        super().__init__()
        self.register_buffer("distances", distances)
        self.background, self.smooth, self.reduction = background, smooth, reduction

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        options = (self.distances, self.background, self.smooth, self.reduction)
        return F.generalised_wasserstein_dice_loss(input, target, *options)


class TverskyLoss(Module):
    """`functional.tversky_loss`."""

    def __init__(
        self, alpha: float = 0.3, beta: float = 0.7, smooth: float = 1.0, reduction: str = "mean"
    ) -> None:
        super().__init__()
        self.alpha, self.beta, self.smooth, self.reduction = alpha, beta, smooth, reduction

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.tversky_loss(input, target, self.alpha, self.beta, self.smooth, self.reduction)


class BinaryFocalWithLogitsLoss(Module):
    """`functional.binary_focal_loss_with_logits`."""

    def __init__(self, alpha: float | None = 0.25, gamma: float = 2.0, reduction: str = "mean") -> None:
        super().__init__()
        self.alpha, self.gamma, self.reduction = alpha, gamma, reduction

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.binary_focal_loss_with_logits(input, target, self.alpha, self.gamma, self.reduction)


class FocalLoss(Module):
    """`functional.focal_loss`."""

    def __init__(
        self,
        weight: Tensor | None = None,
        gamma: float = 2.0,
        ignore_index: int = -100,
        reduction: str = "mean",
    ) -> None:
        super().__init__()
        self.register_buffer("weight", weight)
        self.gamma, self.ignore_index, self.reduction = gamma, ignore_index, reduction

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.focal_loss(input, target, self.weight, self.gamma, self.ignore_index, self.reduction)


class WeightedPixelCrossEntropyLoss(Module):
    """`functional.weighted_pixel_cross_entropy`."""

    def __init__(self, ignore_index: int = -100, reduction: str = "mean") -> None:
        super().__init__()
        self.ignore_index, self.reduction = ignore_index, reduction

    def forward(self, input: Tensor, target: Tensor, weight_map: Tensor) -> Tensor:
        return F.weighted_pixel_cross_entropy(input, target, weight_map, self.ignore_index, self.reduction)
