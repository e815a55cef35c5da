"""Find a learning rate: let it rise from step to step, and see where the loss falls fastest."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count, islice
from typing import Any

from tinyconv.data import DataLoader
from tinyconv.device import get_rng_state, set_rng_state
from tinyconv.errors import ArgumentError, TrainingError
from tinyconv.nn import Module
from tinyconv.optim import Optimizer
from tinyconv.tensor import Tensor
from tinyconv.train.fields import is_number
from tinyconv.train.trainer import Batch, Trainer
from tinyconv.train.waiting import waiting

SMOOTHING = 0.9
WORSE = 4.0
"""So many times the lowest loss, and the search is over."""


@dataclass
class LearningRates:
    """What `find_learning_rate` saw.

    Attributes
    ----------
    rates, losses, smooth : list of float
        By step: the learning rate, the loss before the step, and the loss's running mean.
    """

    rates: list[float] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)
    smooth: list[float] = field(default_factory=list)

    @property
    def suggestion(self) -> float:
        """Where the smoothed loss falls fastest over the logarithm of the rate; NaN if it never falls."""
        slopes = [
            (self.smooth[i + 1] - self.smooth[i - 1], self.rates[i]) for i in range(1, len(self.rates) - 1)
        ]
        steepest = min(slopes, default=(0.0, math.nan))
        return steepest[1] if steepest[0] < 0 else math.nan

    def plot(self, path: Any = None) -> Any:
        """Draw the losses over the rates, see `viz.plot_learning_rates`."""
        from tinyconv import viz

        return viz.plot_learning_rates(self.rates, self.losses, self.smooth, self.suggestion, path)


def find_learning_rate(
    model: Module,
    optimizer: Optimizer,
    loss: Callable[[Any, Any], Tensor],
    loader: DataLoader,
    *,
    lowest: float = 1e-6,
    highest: float = 1.0,
    steps: int = 100,
    accumulate: int = 1,
    clip_norm: float | None = None,
) -> LearningRates:
    """The range test of Smith (2017): train while the rate rises, by the same factor at each step.

    It ends when the smoothed loss is four times its lowest, or not finite. Model, optimiser and
    random generators are put back as they were. A tenth of the rate at which the loss begins to
    rise, or the `suggestion`, is a good one to begin with.

    Parameters
    ----------
    model, optimizer, loss, loader
        As for `Trainer`; the loader is begun again as often as needed.
    lowest, highest : float
        The first and the last rate.
    steps : int
        At least 3.
    accumulate, clip_norm
        As for `Trainer`: the best rate of a step of many batches is another than that of one.

    Returns
    -------
    LearningRates

    Raises
    ------
    ArgumentError
        If the rates do not rise from above 0, or the steps are too few.

    Examples
    --------
    >>> import tinyconv as tc
    >>> model = tc.nn.Linear(1, 1)
    >>> loader = DataLoader([(tc.ones(1), tc.zeros(1))] * 4, batch_size=2)
    >>> optimizer = tc.optim.SGD(model.parameters(), lr=0.1)
    >>> found = find_learning_rate(model, optimizer, tc.nn.functional.mse_loss, loader, steps=5)
    >>> [round(rate, 6) for rate in found.rates]
    [1e-06, 3.2e-05, 0.001, 0.031623, 1.0]
    """
    if not (is_number(lowest, 0, 1e6) and is_number(highest, 0, 1e6) and 0 < lowest < highest):
        found = f"{lowest!r}, {highest!r}"
        raise ArgumentError("find_learning_rate", "lowest, highest", found, "0 < lowest < highest")
    if not is_number(steps, 3, 2**31, whole=True):
        raise ArgumentError("find_learning_rate", "steps", repr(steps), "a whole number >= 3")
    weights = {name: tensor.detach().clone() for name, tensor in model.state_dict().items()}
    state, random_state, training = copy.deepcopy(optimizer.state_dict()), get_rng_state(), model.training
    rates = [lowest * (highest / lowest) ** (step / (steps - 1)) for step in range(steps)]
    try:
        model.train()
        return _rise(
            Trainer(model, optimizer, loss, loader, 1, accumulate=accumulate, clip_norm=clip_norm), rates
        )
    finally:
        optimizer.zero_grad()
        model.load_state_dict(weights)
        optimizer.load_state_dict(state)
        set_rng_state(random_state)
        model.train(training)


def _rise(trainer: Trainer, rates: list[float]) -> LearningRates:
    """Train for one step at each of the rates."""
    found, mean = LearningRates(), 0.0
    batches = _endless(trainer)
    steps = zip(waiting(rates, "trying learning rates"), batches, strict=False)
    for number, (rate, group) in enumerate(steps, start=1):
        trainer.base_rates = [rate] * len(trainer.base_rates)
        try:
            trainer.train_step(group)
        except TrainingError:  # an output, the loss or a gradient is not finite
            break
        mean = SMOOTHING * mean + (1 - SMOOTHING) * trainer.loss_value
        found.rates.append(rate)
        found.losses.append(trainer.loss_value)
        found.smooth.append(mean / (1 - SMOOTHING**number))
        if found.smooth[-1] > WORSE * min(found.smooth):
            break
    return found


def _endless(trainer: Trainer) -> Iterator[list[Batch]]:
    """The batches of each step; as in training, those of an epoch's last step may be fewer."""
    for epoch in count():
        batches = trainer.batches(epoch)
        while group := list(islice(batches, trainer.accumulate)):
            yield group
