"""What a segmentation descends on: cross-entropy, Dice, focal loss, for masks and for classes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tinyconv.device import array_module, to_device
from tinyconv.metrics import count, count_classes
from tinyconv.nn import functional as F
from tinyconv.ops import reshape, sigmoid, softmax
from tinyconv.tensor import Tensor

Array = Any

LOSSES = {
    False: ("bce+dice", "bce", "dice", "focal"),
    True: ("ce+dice", "ce", "dice", "generalised-dice", "focal"),
}
"""By whether classes exclude each other; the first is what is taken unless another is asked for."""

NEEDS_SCORES = ("focal",)
UNWEIGHTED = ("generalised-dice",)
"""It weighs classes itself."""


class MaskLoss:
    """The loss of a segmentation net, and the Dice of the batch it was last asked about.

    Parameters
    ----------
    loss : str
        One of `LOSSES`.
    exclusive : bool
        Whether a pixel belongs to one class only. Then the target (N, 1, \\*sides) holds class numbers, the
        output (N, C, \\*sides) scores; else target and output (N, K, \\*sides) have a mask for each name.
    scores : bool
        Whether the output is scores; else probabilities, of masks.
    weights : sequence of float, optional
        What each class counts; of masks, what a pixel in the mask counts where one outside counts 1.
    border : bool
        Whether the target's last channel is the weight of each pixel in the cross-entropy; masks only.

    Attributes
    ----------
    dice : float
        Of the last batch, all its pixels together; the mean of the classes but the background.

    Examples
    --------
    >>> import tinyconv as tc
    >>> loss = MaskLoss("ce", exclusive=True)
    >>> round(loss(tc.zeros(1, 2, 2, 2), tc.tensor([[[[0, 1], [1, 0]]]])).item(), 4), loss.dice
    (0.6931, 0.0)
    """

    def __init__(
        self,
        loss: str,
        exclusive: bool,
        scores: bool = True,
        weights: Sequence[float] | None = None,
        border: bool = False,
    ) -> None:
        self.kind, self.exclusive, self.scores, self.border = loss, exclusive, scores, border
        self.weights = None if weights is None else np.array(weights, np.float32)
        self.dice = float("nan")

    def __call__(self, output: Tensor, target: Tensor) -> Tensor:
        return self._of_classes(output, target) if self.exclusive else self._of_masks(output, target)

    def _of_masks(self, output: Tensor, target: Tensor) -> Tensor:
        pixels = None
        if self.border:
            pixels, target = target[:, -1:], target[:, :-1]
        probability = sigmoid(output) if self.scores else output
        self.dice = count(probability.array, target.array).dice
        if self.weights is not None:
            per_mask = reshape(self._like(target, self.weights - 1), (-1, *[1] * (target.ndim - 2)))
            inside = per_mask * target + 1
            pixels = inside if pixels is None else pixels * inside
        if self.kind == "focal":
            loss = F.binary_focal_loss_with_logits(output, target, reduction="none")
            return (loss if pixels is None else loss * pixels).mean()
        if self.kind == "dice":
            return self._dice(probability, target)
        entropy = F.binary_cross_entropy_with_logits if self.scores else F.binary_cross_entropy
        loss = entropy(output, target, weight=pixels)
        return loss + self._dice(probability, target) if self.kind == "bce+dice" else loss

    def _of_classes(self, output: Tensor, target: Tensor) -> Tensor:
        labels = Tensor(target.array[:, 0].astype(np.int64))
        classes = output.shape[1]
        found = output.array.argmax(axis=1)
        counts = count_classes(found.reshape(1, -1), labels.array.reshape(1, -1), classes)
        reached = counts.dice[0, 1:]
        self.dice = float("nan") if np.isnan(reached).all() else float(np.nanmean(reached))
        weight = None if self.weights is None else self._like(target, self.weights)
        if self.kind == "ce":
            return F.cross_entropy(output, labels, weight=weight)
        if self.kind == "focal":
            return F.focal_loss(output, labels, weight=weight)
        probability, masks = softmax(output, 1), one_hot(labels.array, classes)
        if self.kind == "generalised-dice":
            return F.generalised_dice_loss(probability, masks)
        loss = self._dice(probability, masks)
        return F.cross_entropy(output, labels, weight=weight) + loss if self.kind == "ce+dice" else loss

    def _dice(self, probability: Tensor, masks: Tensor) -> Tensor:
        """The Dice loss, the mean of the classes' or masks', each with its weight."""
        if self.weights is None:
            return F.dice_loss(probability, masks)
        shares = self._like(masks, self.weights / self.weights.sum())
        return (F.dice_loss(probability, masks, reduction="none") * shares).sum(1).mean()

    @staticmethod
    def _like(target: Tensor, weights: Array) -> Tensor:
        """Weights as float32, on the device of `target`."""
        return Tensor(to_device(weights.astype(np.float32), target.device))


def one_hot(labels: Array, classes: int) -> Tensor:
    """A mask for each class: (N, \\*sides) of class numbers becomes float32 (N, classes, \\*sides)."""
    masks = [labels == number for number in range(classes)]
    return Tensor(array_module(labels).stack(masks, axis=1).astype(np.float32))
