"""The training loop.

`Trainer` knows only models, optimisers and batches. What else happens while it trains
(progress on the screen, metrics on disk, checkpoints) are callbacks, and where it stands is
a few numbers, `Position`, from which a resumed run goes on exactly: the loader's batches are
a pure function of the epoch, dropout masks of the seed and their number.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinyconv.data import DataLoader
from tinyconv.errors import ArgumentError, TrainingError
from tinyconv.metrics import Counts, count
from tinyconv.nn import Module
from tinyconv.optim import Optimizer
from tinyconv.tensor import Tensor
from tinyconv.train.interrupt import stop_on_signals
from tinyconv.train.schedules import Schedule, constant

Loss = Callable[[Tensor, Tensor], Tensor]
Scores = dict[str, float]


class Callback:
    """What a Trainer calls; a subclass overrides what it needs."""

    def on_step(self, trainer: Trainer) -> None:
        """After each optimiser step; see `Trainer.loss_value`, `Trainer.counts`."""

    def on_validation(self, trainer: Trainer, scores: Scores) -> None:
        """After each validation, with what it returned."""

    def on_epoch_end(self, trainer: Trainer) -> None:
        """When the position has moved on to the next epoch, or training is done."""

    def on_stop(self, trainer: Trainer) -> None:
        """At the end, whether training is done or was interrupted; not after an error."""


@dataclass
class Position:
    """How far training has come.

    Attributes
    ----------
    epoch, batch : int
        The epoch, and how many of its batches have been trained on.
    step : int
        Optimiser steps since the start.
    validated_step : int
        The step of the last validation, -1 before the first.
    seconds, validation_seconds : float
        Time spent, earlier sessions included, and how long the last validation took.
    out_of_time : bool
        Whether the time budget is used up.
    """

    epoch: int = 0
    batch: int = 0
    step: int = 0
    validated_step: int = -1
    seconds: float = 0.0
    validation_seconds: float = 0.0
    out_of_time: bool = False


class Trainer:
    """Train a model on batches of (input, target).

    Parameters
    ----------
    model : Module
    optimizer : Optimizer
    loss : callable
        Called with (output, target); returns a scalar Tensor.
    loader : DataLoader
    epochs : int
    steps : int, optional
        Stop after this many steps, even in the middle of an epoch.
    seconds : float, optional
        Stop in time for the last validation to end within this many seconds.
    schedule : callable
        Factor of the learning rate, a function of the progress from 0 to 1.
    validate : callable, optional
        Returns scores, e.g. ``{"held_out_dice": 0.9}``; called every `validate_every` epochs
        and at the end, with the model in evaluation mode.
    validate_every : int
    callbacks : sequence of Callback

    Examples
    --------
    >>> import tinyconv as tc
    >>> from tinyconv.data import DataLoader
    >>> model = tc.nn.Linear(1, 1)
    >>> loader = DataLoader([(tc.ones(1), tc.zeros(1))] * 4, batch_size=2)
    >>> optimizer = tc.optim.SGD(model.parameters(), lr=0.1)
    >>> trainer = Trainer(model, optimizer, tc.nn.functional.mse_loss, loader, epochs=3)
    >>> trainer.fit()
    >>> trainer.position.epoch, trainer.position.step, trainer.done
    (3, 6, True)
    """

    def __init__(
        self,
        model: Module,
        optimizer: Optimizer,
        loss: Loss,
        loader: DataLoader,
        epochs: int,
        *,
        steps: int | None = None,
        seconds: float | None = None,
        schedule: Schedule = constant,
        validate: Callable[[], Scores] | None = None,
        validate_every: int = 1,
        callbacks: Sequence[Callback] = (),
    ) -> None:
        self.model, self.optimizer, self.loss, self.loader = model, optimizer, loss, loader
        self.epochs = epochs
        planned = epochs * len(loader)
        self.total_steps = planned if steps is None else min(steps, planned)
        self.seconds = seconds
        self.schedule, self.validate, self.validate_every = schedule, validate, validate_every
        self.callbacks = list(callbacks)
        self.base_rates = [group["lr"] for group in optimizer.param_groups]
        self.position = Position()
        self.stop_signal: int | None = None
        self.loss_value, self.counts = float("nan"), Counts()
        if self.total_steps < 1 or validate_every < 1:
            found = f"{self.total_steps} and {validate_every}"
            raise ArgumentError("Trainer", "the number of steps, validate_every", found, "at least 1 each")

    def fit(self) -> None:
        """Train from the position on until the plan is done or a stop is asked for."""
        self._started = time.monotonic() - self.position.seconds
        with stop_on_signals(self.stop):
            while not (self.done or self.stopping):
                self._train_epoch()
                if not self.stopping:
                    self._end_epoch()
        self._call("on_stop")

    def _train_epoch(self) -> None:
        """Train on the rest of the epoch's batches."""
        self.model.train()
        position = self.position
        for x, target in self.loader.iterate(position.epoch, position.batch):
            if self.stopping or self._finished():
                return
            self.train_step(x, target)
            position.batch += 1
            position.step += 1
            self._take_time()
            self._call("on_step")

    def train_step(self, x: Tensor, target: Tensor) -> None:
        """Forward, loss, backward, update."""
        self._set_learning_rate()
        output = self.model(x)
        self._check_finite("output", output)
        loss = self.loss(output, target)
        self._check_finite("loss", loss)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        self.loss_value = loss.item()
        if output.shape == target.shape:
            self.counts = count(output.array, target.array)

    def _end_epoch(self) -> None:
        """Validate if it is time to, then move on to the next epoch."""
        position = self.position
        whole = position.batch == len(self.loader)
        if self._finished() or (whole and (position.epoch + 1) % self.validate_every == 0):
            self._validate()
            if self.stopping:
                return  # before the position moves: a resumed run validates again
        if whole:
            position.epoch, position.batch = position.epoch + 1, 0
        self._call("on_epoch_end")

    def _validate(self) -> None:
        if self.validate is not None:
            began = time.monotonic()
            self.model.eval()
            scores = self.validate()
            if self.stopping:
                return
            self.position.validation_seconds = time.monotonic() - began
            self._take_time()
            self._call("on_validation", scores)
        self.position.validated_step = self.position.step

    @property
    def done(self) -> bool:
        """Whether all that was planned is done, the last validation included."""
        return self._finished() and self.position.validated_step == self.position.step

    def _finished(self) -> bool:
        return self.position.out_of_time or self.position.step >= self.total_steps

    @property
    def stopping(self) -> bool:
        """Whether a stop was asked for."""
        return self.stop_signal is not None

    def stop(self, signal_number: int) -> None:
        """Ask for a stop after the current step."""
        self.stop_signal = signal_number

    @property
    def progress(self) -> float:
        """From 0 to 1: the share of the steps or of the time that is used, whichever is larger."""
        share = self.position.step / self.total_steps
        return share if self.seconds is None else max(share, min(self._spent() / self.seconds, 1.0))

    def _spent(self) -> float:
        """Seconds gone, with those that the last validation will take."""
        return self.position.seconds + self.position.validation_seconds

    def _take_time(self) -> None:
        self.position.seconds = time.monotonic() - self._started
        if self.seconds is not None and self._spent() >= self.seconds:
            self.position.out_of_time = True

    def _set_learning_rate(self) -> None:
        factor = self.schedule(self.progress)
        for group, rate in zip(self.optimizer.param_groups, self.base_rates, strict=True):
            group["lr"] = rate * factor

    def _check_finite(self, name: str, tensor: Tensor) -> None:
        if not np.isfinite(tensor.array).all():
            where = f"training step {self.position.step + 1} (epoch {self.position.epoch + 1})"
            raise TrainingError(where, f"the {name}", "not finite", "numbers; try a smaller learning rate")

    def _call(self, hook: str, *arguments: Any) -> None:
        for callback in self.callbacks:
            getattr(callback, hook)(self, *arguments)
