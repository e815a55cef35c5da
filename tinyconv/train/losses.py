"""What training descends on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tinyconv.device import float32
from tinyconv.errors import ArgumentError
from tinyconv.nn import functional as F
from tinyconv.ops import tensor
from tinyconv.tensor import Tensor
from tinyconv.train.fields import is_number

Part = Callable[[Tensor, Tensor], Tensor]


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


class MixedLoss:
    """A weighted sum of losses, which remembers what each of them was.

    Parameters
    ----------
    **parts
        By name, a function of (output, target), or a pair of its weight and the function.

    Attributes
    ----------
    values : dict of str to float
        The parts at the last call, before they are weighted; a run's log has them.

    Raises
    ------
    ArgumentError
        If there is no part, one is no function, or a weight is negative or not finite.

    Examples
    --------
    >>> import tinyconv as tc
    >>> loss = MixedLoss(mse=F.mse_loss, l1=(0.5, F.l1_loss))
    >>> loss(tc.tensor([3.0]), tc.tensor([1.0])).item()
    5.0
    >>> loss.values
    {'mse': 4.0, 'l1': 2.0}
    """

    def __init__(self, **parts: Part | tuple[float, Part]) -> None:
        self.parts = {name: _weighted(name, part) for name, part in parts.items()}
        self.values: dict[str, float] = {}
        if not parts:
            raise ArgumentError("MixedLoss", "parts", "empty", "at least one loss")

    def __call__(self, output: Tensor, target: Tensor) -> Tensor:
        losses = {name: part(output, target) for name, (_, part) in self.parts.items()}
        self.values = {name: loss.item() for name, loss in losses.items()}
        first, *others = (weight * losses[name] for name, (weight, _) in self.parts.items())
        return sum(others, first)


def class_weights(counts: Any, method: str = "balanced") -> Tensor:
    """Weights that let rare classes count as much as frequent ones, for ``F.cross_entropy(weight=…)``.

    With n_c samples (or pixels) of class c, N in all and C classes:

    - ``"balanced"``: N / (C n_c) (King and Zeng 2001);
    - ``"median"``: median(n) / n_c, the frequency balancing of Eigen and Fergus (2015) where every
      image has every class;
    - ``"log"``: 1 / ln(1.02 + n_c / N), which stays between 1.4 and 50.5 (Paszke et al. 2016, ENet).

    Parameters
    ----------
    counts : whole numbers (C,)
    method : str

    Returns
    -------
    Tensor (C,)

    Raises
    ------
    ArgumentError
        If a count is negative, or is 0 and the method would divide by it.

    Examples
    --------
    >>> class_weights([30, 10]).tolist()
    [0.6666666865348816, 2.0]
    """
    counts = np.asarray(counts)
    if counts.ndim != 1 or counts.size == 0 or counts.dtype.kind not in "iu" or (counts < 0).any():
        raise ArgumentError("class_weights", "counts", counts, "whole numbers >= 0, one per class")
    if method not in ("balanced", "median", "log"):
        raise ArgumentError("class_weights", "method", repr(method), "'balanced', 'median' or 'log'")
    if not counts.any() or (method != "log" and not counts.all()):
        raise ArgumentError("class_weights", "counts", counts, "at least one sample of each class")
    if method == "log":
        return tensor(1 / np.log(1.02 + counts / counts.sum()), dtype=float32)
    wanted = counts.mean() if method == "balanced" else np.median(counts)
    return tensor(wanted / counts, dtype=float32)


def _weighted(name: str, part: Part | tuple[float, Part]) -> tuple[float, Part]:
    weight, function = part if isinstance(part, tuple) and len(part) == 2 else (1.0, part)
    if not callable(function):
        raise ArgumentError("MixedLoss", name, repr(part), "a loss, or its weight and it")
    if not is_number(weight, 0, 1e300):
        raise ArgumentError("MixedLoss", name, f"with a weight of {weight!r}", "a number >= 0")
    return weight, function
