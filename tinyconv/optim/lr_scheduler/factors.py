"""Schedules that multiply the learning rate: in steps, exponentially, along a line."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from math import inf

from tinyconv.errors import ArgumentError
from tinyconv.optim.lr_scheduler.base import FactorLR, check_count, check_number
from tinyconv.optim.optimizer import Optimizer


class StepLR(FactorLR):
    """Multiply the learning rate by `gamma` every `step_size` steps.

    Examples
    --------
    >>> import tinyconv as tc
    >>> optimizer = tc.optim.SGD([tc.ones(1)], lr=1.0)
    >>> scheduler = tc.optim.lr_scheduler.StepLR(optimizer, step_size=2, gamma=0.5)
    >>> for _ in range(5):
    ...     print(scheduler.get_last_lr())
    ...     scheduler.step()
    [1.0]
    [1.0]
    [0.5]
    [0.5]
    [0.25]
    """

    def __init__(
        self, optimizer: Optimizer, step_size: int, gamma: float = 0.1, last_epoch: int = -1
    ) -> None:
        self.step_size = check_count("StepLR", "step_size", step_size)
        self.gamma = check_number("StepLR", "gamma", gamma, 0, inf)
        super().__init__(optimizer, last_epoch)

    def multiple(self, step: int) -> float:
        return self.gamma ** (step // self.step_size)


class MultiStepLR(FactorLR):
    """Multiply the learning rate by `gamma` at each of the `milestones` (numbers of steps)."""

    def __init__(
        self, optimizer: Optimizer, milestones: Iterable[int], gamma: float = 0.1, last_epoch: int = -1
    ) -> None:
        self.milestones = sorted(check_count("MultiStepLR", "milestones", m, 0) for m in milestones)
        self.gamma = check_number("MultiStepLR", "gamma", gamma, 0, inf)
        super().__init__(optimizer, last_epoch)

    def multiple(self, step: int) -> float:
        passed = bisect_right(self.milestones, step)
        return self.gamma**passed


class ExponentialLR(FactorLR):
    """Multiply the learning rate by `gamma` at every step."""

    def __init__(self, optimizer: Optimizer, gamma: float, last_epoch: int = -1) -> None:
        self.gamma = check_number("ExponentialLR", "gamma", gamma, 0, inf)
        super().__init__(optimizer, last_epoch)

    def multiple(self, step: int) -> float:
        return self.gamma**step


class LinearLR(FactorLR):
    """Warm-up: from `start_factor` to `end_factor` times the learning rate in `total_iters` steps.

    Small first steps, while the optimiser's averages are still noise (Goyal et al. 2017).
    """

    def __init__(
        self,
        optimizer: Optimizer,
        start_factor: float = 1.0 / 3,
        end_factor: float = 1.0,
        total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None:
        if check_number("LinearLR", "start_factor", start_factor, 0, 1) == 0:
            raise ArgumentError("LinearLR", "start_factor", start_factor, "above 0: 0 cannot be scaled up")
        self.start_factor = start_factor
        self.end_factor = check_number("LinearLR", "end_factor", end_factor, 0, 1)
        self.total_iters = check_count("LinearLR", "total_iters", total_iters)
        super().__init__(optimizer, last_epoch)

    def multiple(self, step: int) -> float:
        share = min(step, self.total_iters) / self.total_iters
        return self.start_factor + (self.end_factor - self.start_factor) * share


class ConstantLR(FactorLR):
    """`factor` times the learning rate during the first `total_iters` steps, then the whole of it."""

    def __init__(
        self, optimizer: Optimizer, factor: float = 1.0 / 3, total_iters: int = 5, last_epoch: int = -1
    ) -> None:
        if check_number("ConstantLR", "factor", factor, 0, 1) == 0:
            raise ArgumentError("ConstantLR", "factor", factor, "above 0: 0 cannot be scaled up")
        self.factor = factor
        self.total_iters = check_count("ConstantLR", "total_iters", total_iters)
        super().__init__(optimizer, last_epoch)

    def multiple(self, step: int) -> float:
        return self.factor if step < self.total_iters else 1.0


class PolynomialLR(FactorLR):
    """Fall to 0 in `total_iters` steps, as ``(1 - step / total_iters) ** power`` (Chen et al. 2017, DeepLab).

    Examples
    --------
    >>> import tinyconv as tc
    >>> optimizer = tc.optim.SGD([tc.ones(1)], lr=1.0)
    >>> scheduler = tc.optim.lr_scheduler.PolynomialLR(optimizer, total_iters=4, power=2.0)
    >>> scheduler.step()
    >>> scheduler.get_last_lr()
    [0.5625]
    """

    def __init__(
        self, optimizer: Optimizer, total_iters: int = 5, power: float = 1.0, last_epoch: int = -1
    ) -> None:
        self.total_iters = check_count("PolynomialLR", "total_iters", total_iters)
        self.power = check_number("PolynomialLR", "power", power, 0, inf)
        super().__init__(optimizer, last_epoch)

    def multiple(self, step: int) -> float:
        return (1.0 - min(step, self.total_iters) / self.total_iters) ** self.power
