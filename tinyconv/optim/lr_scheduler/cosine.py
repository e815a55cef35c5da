"""The cosine schedules: one fall, and falls that start anew."""

from __future__ import annotations

from math import cos, floor, inf, pi

from tinyconv.optim.lr_scheduler.base import LRScheduler, check_count, check_number
from tinyconv.optim.optimizer import Optimizer
from tinyconv.recorder import repeated


class CosineAnnealingLR(LRScheduler):
    """Fall along half a cosine from the learning rate to `eta_min` (Loshchilov and Hutter 2017).

    Parameters
    ----------
    optimizer : Optimizer
    T_max : int
        Number of steps of the fall; after it the rate rises again in as many.
    eta_min : float
        The lowest learning rate.
    last_epoch : int
        See `LRScheduler`.
    """

    def __init__(self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0, last_epoch: int = -1) -> None:
        self.T_max = check_count("CosineAnnealingLR", "T_max", T_max)
        self.eta_min = check_number("CosineAnnealingLR", "eta_min", eta_min, 0, inf)
        super().__init__(optimizer, last_epoch)

    def height(self, step: int) -> float:
        """From 1 at step 0 to 0 at step `T_max`."""
        return (1 + cos(pi * step / self.T_max)) / 2

    def get_lr(self) -> list[float]:
        step, low = self.last_epoch, self.eta_min
        if step == 0:
            return self.get_last_lr()
        now, before = self.height(step), self.height(step - 1)
        at_bottom = (step - 1 - self.T_max) % (2 * self.T_max) == 0
        return [
            rate + (base - low) * now if at_bottom else low + (rate - low) * (now / before)
            for base, rate in zip(self.base_lrs, self.get_last_lr(), strict=True)
        ]

    def closed_form(self) -> list[float]:
        height = self.height(self.last_epoch)
        return [self.eta_min + (base - self.eta_min) * height for base in self.base_lrs]


class CosineAnnealingWarmRestarts(LRScheduler):
    """Fall along half a cosine, start anew at the top, again and again (Loshchilov and Hutter 2017).

    Parameters
    ----------
    optimizer : Optimizer
    T_0 : int
        Number of steps of the first fall.
    T_mult : int
        Each fall takes this many times the steps of the one before.
    eta_min : float
        The lowest learning rate.
    last_epoch : int
        See `LRScheduler`.

    Notes
    -----
    ``step(epoch + batch / batches)`` after every batch lets the rate fall within an epoch, too.
    """

    def __init__(
        self, optimizer: Optimizer, T_0: int, T_mult: int = 1, eta_min: float = 0.0, last_epoch: int = -1
    ) -> None:
        name = "CosineAnnealingWarmRestarts"
        self.T_0, self.T_i = check_count(name, "T_0", T_0), T_0
        self.T_mult = check_count(name, "T_mult", T_mult)
        self.eta_min = check_number(name, "eta_min", eta_min, 0, inf)
        self.T_cur: float = last_epoch
        super().__init__(optimizer, last_epoch)

    @repeated
    def step(self, epoch: float | None = None) -> None:
        """Set the next learning rate, or (with `epoch`) that of a moment, whole or not."""
        if epoch is not None:
            moment = check_number("CosineAnnealingWarmRestarts.step", "epoch", epoch, 0, inf)
            self.T_cur, self.T_i = moment, self.T_0
        else:
            moment, self.T_cur = self.last_epoch + 1, self.T_cur + 1
        while self.T_cur >= self.T_i:
            self.T_cur, self.T_i = self.T_cur - self.T_i, self.T_i * self.T_mult
        super().step(floor(moment))

    def closed_form(self) -> list[float]:
        height = (1 + cos(pi * self.T_cur / self.T_i)) / 2
        return [self.eta_min + (base - self.eta_min) * height for base in self.base_lrs]
