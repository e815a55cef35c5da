"""The schedule that goes up and down between two learning rates."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import inf

from tinyconv.errors import ArgumentError, DtypeError
from tinyconv.optim.lr_scheduler.base import (
    LRScheduler,
    check_count,
    check_number,
    check_optimizer,
    per_group,
)
from tinyconv.optim.optimizer import Optimizer

MODES = ("triangular", "triangular2", "exp_range")


class CyclicLR(LRScheduler):
    """Up from `base_lr` to `max_lr` and down again, over and over (Smith 2017). Step after every batch.

    Momentum (or Adam's first beta) goes the other way.

    Parameters
    ----------
    optimizer : Optimizer
    base_lr, max_lr : float, or a list with one for each group
    step_size_up, step_size_down : int
        Number of steps up and down; as many down as up if not given.
    mode : {"triangular", "triangular2", "exp_range"}
        The second halves the height with each cycle, the third multiplies it by `gamma` at each step.
    gamma : float
    scale_fn : callable, optional
        Instead of `mode`: the height as a function of what `scale_mode` says. It is not saved.
    scale_mode : {"cycle", "iterations"}
        Whether `scale_fn` is told the number of the cycle (from 1) or of the step.
    cycle_momentum : bool
        Whether momentum is changed, between `max_momentum` and `base_momentum`.
    last_epoch : int
        See `LRScheduler`.
    """

    _unsaved = ("optimizer", "scale_fn")

    def __init__(
        self,
        optimizer: Optimizer,
        base_lr: float | Sequence[float],
        max_lr: float | Sequence[float],
        step_size_up: int = 2000,
        step_size_down: int | None = None,
        mode: str = "triangular",
        gamma: float = 1.0,
        scale_fn: Callable[[float], float] | None = None,
        scale_mode: str = "cycle",
        cycle_momentum: bool = True,
        base_momentum: float | Sequence[float] = 0.8,
        max_momentum: float | Sequence[float] = 0.9,
        last_epoch: int = -1,
    ) -> None:
        name = "CyclicLR"
        check_optimizer(name, optimizer)
        self.step_size_up = check_count(name, "step_size_up", step_size_up)
        down = step_size_up if step_size_down is None else step_size_down
        self.total_size = self.step_size_up + check_count(name, "step_size_down", down)
        for argument, value, choices in (
            ("mode", mode, MODES),
            ("scale_mode", scale_mode, ("cycle", "iterations")),
        ):
            if value not in choices:
                raise ArgumentError(name, argument, repr(value), "one of " + ", ".join(map(repr, choices)))
        if scale_fn is not None and not callable(scale_fn):
            raise DtypeError(name, "scale_fn", repr(scale_fn), "a function of a number, or None")
        self.mode, self.gamma = mode, check_number(name, "gamma", gamma, 0, inf)
        self.scale_fn, self.scale_mode = scale_fn, scale_mode
        self.cycle_momentum = bool(cycle_momentum)
        if cycle_momentum and not {"momentum", "betas"} & optimizer.defaults.keys():
            expected = f"False: {type(optimizer).__name__} has neither momentum nor betas"
            raise ArgumentError(name, "cycle_momentum", cycle_momentum, expected)
        bounds = [
            [check_number(name, argument, x, 0, inf) for x in per_group(name, argument, value, optimizer)]
            for argument, value in (
                ("base_lr", base_lr),
                ("max_lr", max_lr),
                ("base_momentum", base_momentum),
                ("max_momentum", max_momentum),
            )
        ]
        lows, self.max_lrs, self.base_momentums, self.max_momentums = bounds
        if last_epoch == -1:
            for group, low in zip(optimizer.param_groups, lows, strict=True):
                group["lr"] = low
        super().__init__(optimizer, last_epoch)
        self.base_lrs = lows

    def closed_form(self) -> list[float]:
        """The learning rates of step `last_epoch`; sets the momentum as well."""
        cycles, step = divmod(self.last_epoch, self.total_size)
        down = self.total_size - self.step_size_up
        share = step / self.step_size_up if step <= self.step_size_up else (self.total_size - step) / down
        height = share * self._scale(cycles + 1)
        if self.cycle_momentum:
            pairs = zip(self.base_momentums, self.max_momentums, strict=True)
            for group, (low, high) in zip(self.optimizer.param_groups, pairs, strict=True):
                momentum = high - (high - low) * height
                if "betas" in group:
                    group["betas"] = (momentum, *group["betas"][1:])
                else:
                    group["momentum"] = momentum
        pairs = zip(self.base_lrs, self.max_lrs, strict=True)
        return [low + (high - low) * height for low, high in pairs]

    def _scale(self, cycle: int) -> float:
        if self.scale_fn is not None:
            return self.scale_fn(cycle if self.scale_mode == "cycle" else self.last_epoch)
        if self.mode == "exp_range":
            return self.gamma**self.last_epoch
        return 0.5 ** (cycle - 1) if self.mode == "triangular2" else 1.0
