"""Schedules that are made of functions, or of other schedules."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from math import prod
from typing import Any

from tinyconv.errors import ArgumentError, CheckpointError, DtypeError
from tinyconv.optim.lr_scheduler.base import LRScheduler, check_count, check_optimizer, per_group
from tinyconv.optim.optimizer import Optimizer
from tinyconv.recorder import repeated


class LambdaLR(LRScheduler):
    """The first learning rate times a function of the step; one function, or one per group.

    The functions are not part of the state dict.
    """

    _unsaved = ("optimizer", "lr_lambdas")

    def __init__(
        self,
        optimizer: Optimizer,
        lr_lambda: Callable[[int], float] | Sequence[Callable[[int], float]],
        last_epoch: int = -1,
    ) -> None:
        name = type(self).__name__
        self.lr_lambdas = per_group(name, "lr_lambda", lr_lambda, check_optimizer(name, optimizer))
        for function in self.lr_lambdas:
            if not callable(function):
                raise DtypeError(name, "lr_lambda", repr(function), "a function of the step")
        super().__init__(optimizer, last_epoch)

    def closed_form(self) -> list[float]:
        pairs = zip(self.base_lrs, self.lr_lambdas, strict=True)
        return [base * function(self.last_epoch) for base, function in pairs]


class MultiplicativeLR(LambdaLR):
    """Multiply the learning rate at every step by a function of the step; one function, or one per group."""

    def get_lr(self) -> list[float]:
        if self.last_epoch == 0:
            return self.get_last_lr()
        pairs = zip(self.get_last_lr(), self.lr_lambdas, strict=True)
        return [rate * function(self.last_epoch) for rate, function in pairs]

    def closed_form(self) -> list[float]:
        steps = range(1, self.last_epoch + 1)
        pairs = zip(self.base_lrs, self.lr_lambdas, strict=True)
        return [base * prod(function(step) for step in steps) for base, function in pairs]


class _Composed(LRScheduler):
    """What schedules that are made of others share: their state."""

    _unsaved = ("optimizer", "_schedulers")
    _schedulers: list[LRScheduler]

    def state_dict(self) -> dict[str, Any]:
        """The counts of this scheduler and of all inside."""
        return {**super().state_dict(), "_schedulers": [inner.state_dict() for inner in self._schedulers]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from a state that `state_dict` returned."""
        states = state_dict.get("_schedulers", [])
        if len(states) != len(self._schedulers):
            where, found = f"{type(self).__name__}.load_state_dict", f"of {len(states)} schedulers"
            raise CheckpointError(where, "state_dict", found, f"{len(self._schedulers)} of them")
        for inner, state in zip(self._schedulers, states, strict=True):
            inner.load_state_dict(state)
        own = super().state_dict().keys()
        vars(self).update({name: value for name, value in state_dict.items() if name in own})


class ChainedScheduler(_Composed):
    """Several schedules at once: each changes the learning rate that the one before has left.

    Parameters
    ----------
    schedulers : list of LRScheduler
        All of one optimiser.
    optimizer : Optimizer, optional
        That optimiser.
    """

    def __init__(self, schedulers: Sequence[LRScheduler], optimizer: Optimizer | None = None) -> None:
        given = list(schedulers)
        first = optimizer if optimizer is not None or not given else getattr(given[0], "optimizer", None)
        self._schedulers = _check_schedulers("ChainedScheduler", first, given)
        self.optimizer = self._schedulers[0].optimizer

    @repeated
    def step(self, epoch: int | None = None) -> None:
        """Set the next learning rate."""
        if epoch is not None:
            raise ArgumentError("ChainedScheduler.step", "epoch", epoch, "None: it can only go on")
        for scheduler in self._schedulers:
            scheduler.step()


class SequentialLR(_Composed):
    """One schedule after the other, each starting at its milestone.

    Parameters
    ----------
    optimizer : Optimizer
    schedulers : list of LRScheduler
        All of this optimiser.
    milestones : list of int
        The steps at which the second, third, … takes over.

    Examples
    --------
    >>> import tinyconv as tc
    >>> from tinyconv.optim.lr_scheduler import CosineAnnealingLR, LinearLR, SequentialLR
    >>> optimizer = tc.optim.SGD([tc.ones(1)], lr=1.0)
    >>> warm_up = LinearLR(optimizer, start_factor=0.5, total_iters=2)
    >>> fall = CosineAnnealingLR(optimizer, T_max=2)
    >>> scheduler = SequentialLR(optimizer, [warm_up, fall], milestones=[2])
    >>> for _ in range(5):
    ...     print([round(rate, 3) for rate in scheduler.get_last_lr()])
    ...     scheduler.step()
    [0.5]
    [0.75]
    [1.0]
    [0.5]
    [0.0]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        schedulers: list[LRScheduler],
        milestones: list[int],
        last_epoch: int = -1,
    ) -> None:
        self.optimizer = check_optimizer("SequentialLR", optimizer)
        self._schedulers = _check_schedulers("SequentialLR", optimizer, list(schedulers))
        self._milestones = [check_count("SequentialLR", "milestones", m) for m in milestones]
        if len(self._milestones) != len(self._schedulers) - 1 or sorted(self._milestones) != self._milestones:
            expected = f"{len(self._schedulers) - 1} rising numbers, one less than schedulers"
            raise ArgumentError("SequentialLR", "milestones", milestones, expected)
        self.base_lrs = list(self._schedulers[0].base_lrs)
        self.last_epoch = last_epoch + 1
        # Each scheduler has made its first step when it was made; only the first one's is to count.
        for group in optimizer.param_groups:
            group["lr"] = group["initial_lr"]
        for scheduler in self._schedulers:
            scheduler.last_epoch -= 1
        self._schedulers[0].step()

    @repeated
    def step(self, epoch: int | None = None) -> None:
        """Set the next learning rate."""
        if epoch is not None:
            raise ArgumentError("SequentialLR.step", "epoch", epoch, "None: it can only go on")
        self.last_epoch += 1
        index = bisect_right(self._milestones, self.last_epoch)
        starts = index > 0 and self._milestones[index - 1] == self.last_epoch
        self._schedulers[index].step(0 if starts else None)


def _check_schedulers(where: str, optimizer: Any, schedulers: list[Any]) -> list[LRScheduler]:
    for index, scheduler in enumerate(schedulers):
        argument = f"schedulers[{index}]"
        nested = where == "SequentialLR" and isinstance(scheduler, _Composed)
        if not isinstance(scheduler, LRScheduler) or nested:
            found, expected = f"a {type(scheduler).__name__}", "a scheduler whose step() takes nothing"
            raise DtypeError(where, argument, found, expected)
        if scheduler.optimizer is not optimizer:
            raise ArgumentError(where, argument, "of another optimizer", "one of this optimizer")
    if not schedulers:
        raise ArgumentError(where, "schedulers", "empty", "at least one")
    return schedulers
