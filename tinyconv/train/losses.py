"""What training descends on."""

from __future__ import annotations

from tinyconv.nn import functional as F
from tinyconv.tensor import Tensor


def bce_dice_loss(probability: Tensor, mask: Tensor) -> Tensor:
    """Binary cross-entropy plus Dice loss, the U-Net's loss.

    The cross-entropy judges each pixel and gives smooth gradients from the first step on; the
    Dice loss judges the overlap, in which a small nucleus counts however large the background is.

    Parameters
    ----------
    probability, mask : Tensor (N, C, H, W)
        Both from 0 to 1.

    Examples
    --------
    >>> import tinyconv as tc
    >>> perfect = tc.tensor([[[[0.0, 1.0]]]])
    >>> bce_dice_loss(perfect, perfect).item()
    0.0
    """
    return F.binary_cross_entropy(probability, mask) + F.dice_loss(probability, mask)
