"""What all schedulers share: they count steps, set learning rates, and can be saved."""

from __future__ import annotations

from typing import Any

from tinyconv.errors import ArgumentError, CheckpointError, DtypeError
from tinyconv.optim.optimizer import Optimizer
from tinyconv.recorder import repeated


class LRScheduler:
    """Base of the schedulers; subclasses define `get_lr` and `closed_form`.

    Most schedulers change the present learning rate by a factor, so that several on one
    optimiser multiply, e.g. a warm-up and a decay.

    Parameters
    ----------
    optimizer : Optimizer
    last_epoch : int
        -1 at the start of training; later, the number of the last step.

    Attributes
    ----------
    last_epoch : int
        How often `step` was called.
    base_lrs : list of float
        Per parameter group, the learning rate before the first step.
    """

    _unsaved: tuple[str, ...] = ("optimizer",)

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        self.optimizer = check_optimizer(type(self).__name__, optimizer)
        for group in optimizer.param_groups:
            if last_epoch == -1:
                group.setdefault("initial_lr", group["lr"])
            elif "initial_lr" not in group:
                expected = "-1, or groups with the key 'initial_lr' (load the optimiser's state first)"
                raise ArgumentError(type(self).__name__, "last_epoch", last_epoch, expected)
        self.base_lrs: list[float] = [group["initial_lr"] for group in optimizer.param_groups]
        self.last_epoch = last_epoch
        self.step()

    @repeated
    def step(self, epoch: int | None = None) -> None:
        """Set the next learning rate, or (with `epoch`) that of a given step."""
        if len(self.optimizer.param_groups) != len(self.base_lrs):
            raise ArgumentError(
                type(self).__name__,
                "the optimizer's number of groups",
                len(self.optimizer.param_groups),
                f"{len(self.base_lrs)}, as when the scheduler was made",
            )
        self.last_epoch = self.last_epoch + 1 if epoch is None else epoch
        rates = self.get_lr() if epoch is None else self.closed_form()
        for group, rate in zip(self.optimizer.param_groups, rates, strict=True):
            group["lr"] = rate

    def get_lr(self) -> list[float]:
        """The learning rates of step `last_epoch`, from those of the step before."""
        return self.closed_form()

    def closed_form(self) -> list[float]:
        """The learning rates of step `last_epoch`, from `base_lrs`."""
        raise NotImplementedError

    def get_last_lr(self) -> list[float]:
        """The learning rates in use, one per parameter group."""
        return [group["lr"] for group in self.optimizer.param_groups]

    def state_dict(self) -> dict[str, Any]:
        """All but the optimiser (and functions); JSON can hold it."""
        return {name: value for name, value in vars(self).items() if name not in self._unsaved}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from a state that `state_dict` returned; the optimiser's is loaded on its own."""
        own = self.state_dict()
        if not isinstance(state_dict, dict) or state_dict.keys() != own.keys():
            found = sorted(state_dict) if isinstance(state_dict, dict) else repr(state_dict)
            where = f"{type(self).__name__}.load_state_dict"
            raise CheckpointError(where, "state_dict", found, f"the keys {sorted(own)}")
        vars(self).update(state_dict)


class FactorLR(LRScheduler):
    """Schedulers that multiply the first learning rate by a number that depends on the step."""

    def multiple(self, step: int) -> float:
        """The learning rate of a step, as a multiple of the first one."""
        raise NotImplementedError

    def get_lr(self) -> list[float]:
        now = self.multiple(self.last_epoch)
        before = self.multiple(self.last_epoch - 1) if self.last_epoch > 0 else 1.0
        if now == before:
            return self.get_last_lr()
        return [group["lr"] * (now / before) for group in self.optimizer.param_groups]

    def closed_form(self) -> list[float]:
        return [base * self.multiple(self.last_epoch) for base in self.base_lrs]


def check_optimizer(where: str, optimizer: Any) -> Optimizer:
    """Raise DtypeError unless it is an Optimizer."""
    if not isinstance(optimizer, Optimizer):
        raise DtypeError(where, "optimizer", f"a {type(optimizer).__name__}", "an Optimizer")
    return optimizer


def check_number(where: str, argument: str, value: Any, low: float, high: float) -> float:
    """Raise ArgumentError unless ``low <= value <= high``."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        bound = f"a number >= {low}" if high == float("inf") else f"a number from {low} to {high}"
        raise ArgumentError(where, argument, repr(value), bound)
    return value


def check_count(where: str, argument: str, value: Any, low: int = 1) -> int:
    """Raise ArgumentError unless it is an int >= low."""
    if isinstance(value, bool) or not isinstance(value, int) or value < low:
        raise ArgumentError(where, argument, repr(value), f"an int >= {low}")
    return value


def per_group(where: str, argument: str, value: Any, optimizer: Optimizer) -> list[Any]:
    """One value for each parameter group."""
    count = len(optimizer.param_groups)
    if not isinstance(value, list | tuple):
        return [value] * count
    if len(value) != count:
        expected = f"one value, or one for each of the {count} parameter groups"
        raise ArgumentError(where, argument, repr(value), expected)
    return list(value)
