"""The schedule that waits for the loss to stop falling."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from typing import Any

from tinyconv.errors import ArgumentError, DtypeError
from tinyconv.optim.lr_scheduler.base import (
    LRScheduler,
    check_count,
    check_number,
    check_optimizer,
    per_group,
)
from tinyconv.optim.optimizer import Optimizer
from tinyconv.recorder import repeated


class ReduceLROnPlateau:
    """Multiply the learning rate by `factor` when a score has not got better for `patience` steps.

    Parameters
    ----------
    optimizer : Optimizer
    mode : {"min", "max"}
        Whether smaller scores (losses) or larger ones (Dice) are better.
    factor : float
        Below 1.
    patience : int
        Number of steps without progress that are tolerated.
    threshold, threshold_mode
        How much better counts: a share of the best ("rel"), or a difference ("abs").
    cooldown : int
        Steps after a reduction during which nothing is counted.
    min_lr : float, or a list with one for each group
        The learning rate does not fall below it.
    eps : float
        Smaller changes of the learning rate are not made.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        mode: str = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: str = "rel",
        cooldown: int = 0,
        min_lr: float | Sequence[float] = 0,
        eps: float = 1e-8,
    ) -> None:
        name = "ReduceLROnPlateau"
        self.optimizer = check_optimizer(name, optimizer)
        if mode not in ("min", "max"):
            raise ArgumentError(name, "mode", repr(mode), "'min' or 'max'")
        if threshold_mode not in ("rel", "abs"):
            raise ArgumentError(name, "threshold_mode", repr(threshold_mode), "'rel' or 'abs'")
        if check_number(name, "factor", factor, 0, 1) == 1:
            raise ArgumentError(name, "factor", factor, "below 1")
        self.mode, self.factor, self.threshold_mode = mode, factor, threshold_mode
        self.patience = check_count(name, "patience", patience, 0)
        self.threshold = check_number(name, "threshold", threshold, 0, inf)
        self.cooldown = check_count(name, "cooldown", cooldown, 0)
        self.min_lrs = per_group(name, "min_lr", min_lr, optimizer)
        self.eps = check_number(name, "eps", eps, 0, inf)
        self.best = inf if mode == "min" else -inf
        self.num_bad_epochs = self.cooldown_counter = self.last_epoch = 0

    @repeated
    def step(self, metrics: Any) -> None:
        """Take note of a score (a number, or a Tensor with one element)."""
        try:
            score = float(metrics)
        except (TypeError, ValueError) as error:
            raise DtypeError("ReduceLROnPlateau.step", "metrics", repr(metrics), "a number") from error
        self.last_epoch += 1
        if self.is_better(score, self.best):
            self.best, self.num_bad_epochs = score, 0
        else:
            self.num_bad_epochs += 1
        if self.cooldown_counter > 0:
            self.cooldown_counter -= 1
            self.num_bad_epochs = 0
        if self.num_bad_epochs > self.patience:
            self._reduce()
            self.cooldown_counter, self.num_bad_epochs = self.cooldown, 0

    def is_better(self, score: float, best: float) -> bool:
        """Whether a score beats the best one by more than the threshold."""
        sign = -1 if self.mode == "min" else 1
        if self.threshold_mode == "rel":
            return sign * score > sign * best * (1 + sign * self.threshold)
        return sign * score > sign * best + self.threshold

    def _reduce(self) -> None:
        for group, lowest in zip(self.optimizer.param_groups, self.min_lrs, strict=True):
            rate = max(group["lr"] * self.factor, lowest)
            if group["lr"] - rate > self.eps:
                group["lr"] = rate

    get_last_lr = LRScheduler.get_last_lr
    state_dict = LRScheduler.state_dict
    load_state_dict = LRScheduler.load_state_dict
    _unsaved = LRScheduler._unsaved
