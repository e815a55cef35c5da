"""The one-cycle schedule."""

from __future__ import annotations

from collections.abc import Sequence
from math import cos, inf, pi
from typing import Any

from tinyconv.errors import ArgumentError
from tinyconv.optim.lr_scheduler.base import (
    LRScheduler,
    check_count,
    check_number,
    check_optimizer,
    per_group,
)
from tinyconv.optim.optimizer import Optimizer


class OneCycleLR(LRScheduler):
    """Up to a large learning rate, then down to almost nothing (Smith and Topin 2018).

    Momentum (or Adam's first beta) goes the other way. Call `step` after every batch.

    Parameters
    ----------
    optimizer : Optimizer
    max_lr : float, or a list with one for each group
        The peak; the rate starts at ``max_lr / div_factor``.
    total_steps : int, optional
        Length of the cycle; or give `epochs` and `steps_per_epoch`.
    pct_start : float
        Share of the cycle that goes up.
    anneal_strategy : {"cos", "linear"}
    cycle_momentum : bool
        Whether momentum is changed, between `max_momentum` (first and last) and `base_momentum`.
    div_factor, final_div_factor : float
        The last rate is ``max_lr / div_factor / final_div_factor``.
    three_phase : bool
        Go down as slowly as up, then in a third phase to the last rate.
    last_epoch : int
        See `LRScheduler`.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        max_lr: float | Sequence[float],
        total_steps: int | None = None,
        epochs: int | None = None,
        steps_per_epoch: int | None = None,
        pct_start: float = 0.3,
        anneal_strategy: str = "cos",
        cycle_momentum: bool = True,
        base_momentum: float | Sequence[float] = 0.85,
        max_momentum: float | Sequence[float] = 0.95,
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
        three_phase: bool = False,
        last_epoch: int = -1,
    ) -> None:
        name = "OneCycleLR"
        check_optimizer(name, optimizer)
        self.total_steps = _total_steps(total_steps, epochs, steps_per_epoch)
        pct_start = check_number(name, "pct_start", pct_start, 0, 1)
        if anneal_strategy not in ("cos", "linear"):
            raise ArgumentError(name, "anneal_strategy", repr(anneal_strategy), "'cos' or 'linear'")
        self.anneal_strategy, self.cycle_momentum = anneal_strategy, bool(cycle_momentum)
        if cycle_momentum and not {"momentum", "betas"} & optimizer.defaults.keys():
            expected = f"False: {type(optimizer).__name__} has neither momentum nor betas"
            raise ArgumentError(name, "cycle_momentum", cycle_momentum, expected)
        self._phases = _phases(self.total_steps, pct_start, three_phase)
        if last_epoch == -1:
            peaks = per_group(name, "max_lr", max_lr, optimizer)
            lows = per_group(name, "base_momentum", base_momentum, optimizer)
            highs = per_group(name, "max_momentum", max_momentum, optimizer)
            for group, peak, low, high in zip(optimizer.param_groups, peaks, lows, highs, strict=True):
                group["max_lr"] = check_number(name, "max_lr", peak, 0, inf)
                group["initial_lr"] = peak / div_factor
                group["min_lr"] = group["initial_lr"] / final_div_factor
                if cycle_momentum:
                    group["max_momentum"], group["base_momentum"] = high, low
        super().__init__(optimizer, last_epoch)

    def closed_form(self) -> list[float]:
        """The learning rates of step `last_epoch`; sets the momentum as well."""
        step = self.last_epoch
        if step > self.total_steps:
            expected = f"at most total_steps = {self.total_steps}"
            raise ArgumentError("OneCycleLR.step", "the number of steps", step, expected)
        index = next((i for i, phase in enumerate(self._phases) if step <= phase[0]), -1) % len(self._phases)
        start = self._phases[index - 1][0] if index else 0.0
        end, lr_from, lr_to, momentum_from, momentum_to = self._phases[index]
        share = (step - start) / (end - start) if end > start else 1.0
        rates = []
        for group in self.optimizer.param_groups:
            rates.append(self._between(group[lr_from], group[lr_to], share))
            if self.cycle_momentum:
                momentum = self._between(group[momentum_from], group[momentum_to], share)
                if "betas" in group:
                    group["betas"] = (momentum, *group["betas"][1:])
                else:
                    group["momentum"] = momentum
        return rates

    def _between(self, first: float, last: float, share: float) -> float:
        if self.anneal_strategy == "linear":
            return first + (last - first) * share
        return last + (first - last) * (1 + cos(pi * share)) / 2


def _total_steps(total_steps: int | None, epochs: int | None, steps_per_epoch: int | None) -> int:
    if total_steps is not None:
        return check_count("OneCycleLR", "total_steps", total_steps)
    if epochs is None or steps_per_epoch is None:
        expected = "an int, or epochs and steps_per_epoch"
        raise ArgumentError("OneCycleLR", "total_steps", total_steps, expected)
    epochs = check_count("OneCycleLR", "epochs", epochs)
    return epochs * check_count("OneCycleLR", "steps_per_epoch", steps_per_epoch)


def _phases(total: int, share: float, three: bool) -> list[list[Any]]:
    """Per phase: its last step, learning rate from and to, momentum from and to."""
    up = [float(share * total) - 1, "initial_lr", "max_lr", "max_momentum", "base_momentum"]
    if not three:
        return [up, [total - 1, "max_lr", "min_lr", "base_momentum", "max_momentum"]]
    down = [float(2 * share * total) - 2, "max_lr", "initial_lr", "base_momentum", "max_momentum"]
    return [up, down, [total - 1, "initial_lr", "min_lr", "max_momentum", "max_momentum"]]
