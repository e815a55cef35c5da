"""The training loop.

`Trainer` knows only models, optimisers and batches. What else happens while it trains
(progress on the screen, metrics on disk, checkpoints) are callbacks, and where it stands is
a few numbers, `Position`, from which a resumed run goes on exactly: the loader's batches are
a pure function of the epoch, dropout masks of the seed and their number.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from math import ceil, isfinite
from typing import Any

import numpy as np

from tinyconv.data import DataLoader, prefetch
from tinyconv.device import get_rng_state
from tinyconv.errors import ArgumentError, DataError, TrainingError
from tinyconv.kernels import optim as kernels
from tinyconv.metrics import Counts, count
from tinyconv.nn import Module
from tinyconv.nn.utils import clip_grad_norm_
from tinyconv.optim import Optimizer
from tinyconv.tensor import Tensor
from tinyconv.train.callback import Callback, Position, Scores
from tinyconv.train.fields import is_number
from tinyconv.train.interrupt import stop_on_signals
from tinyconv.train.not_finite import explain
from tinyconv.train.placing import device_of_model
from tinyconv.train.schedules import Schedule, constant

Loss = Callable[[Tensor, Tensor], Tensor]
Batch = tuple[Tensor, Tensor]

STOP, SKIP = "stop", "skip"
SKIPS_IN_A_ROW = 10
"""After so many skipped steps there is nothing to be hoped for."""


class Trainer:
    """Train a model on batches of (input, target).

    Parameters
    ----------
    model : Module
        On the device where it is to be trained; batches are brought there.
    optimizer : Optimizer
    loss : callable
        Called with (output, target); returns a scalar Tensor.
    loader : DataLoader
    epochs : int
    steps : int, optional
        Stop after this many steps, even in the middle of an epoch.
    seconds : float, optional
        Stop in time for the last validation to end within this many seconds of the first step's end.
        What comes before is not counted, nor is it when a run is resumed: on a new machine that step
        compiles the kernels, which can take longer than the whole training.
    schedule : callable
        Factor of the learning rate, a function of the progress from 0 to 1.
    accumulate : int
        Batches per step: their gradients are added up, each weighed by its number of samples, which
        gives the gradient of one large batch (of a mean loss, and without batch normalisation).
    clip_norm : float, optional
        Limit of the norm of all gradients together, see `nn.utils.clip_grad_norm_`.
    on_not_finite : {"stop", "skip"}
        What follows when an output, a loss or a gradient is not finite: an error that names the op, or
        going on without that step's update. Ten such steps in a row are an error in any case.
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
        accumulate: int = 1,
        clip_norm: float | None = None,
        on_not_finite: str = STOP,
        validate: Callable[[], Scores] | None = None,
        validate_every: int = 1,
        callbacks: Sequence[Callback] = (),
    ) -> None:
        self.model, self.optimizer, self.loss, self.loader = model, optimizer, loss, loader
        self.epochs = epochs
        self.accumulate, self.clip_norm, self.on_not_finite = accumulate, clip_norm, on_not_finite
        self.seconds, self.schedule = seconds, schedule
        self.validate, self.validate_every = validate, validate_every
        self.callbacks = list(callbacks)
        self.base_rates = [group["lr"] for group in optimizer.param_groups]
        self.position = Position()
        self.stop_signal: int | None = None
        self.loss_value, self.counts = float("nan"), Counts()
        self.gradient_norm: float | None = None
        self.batch: Batch | None = None
        self._skips_in_a_row = 0
        self._check_options()
        planned = epochs * ceil(len(loader) / accumulate)
        self.total_steps = planned if steps is None else min(steps, planned)
        if self.total_steps < 1 or validate_every < 1:
            found = f"{self.total_steps} and {validate_every}"
            raise ArgumentError("Trainer", "the number of steps, validate_every", found, "at least 1 each")

    # The loop

    def fit(self) -> None:
        """Train from the position on until the plan is done or a stop is asked for."""
        self._started = time.monotonic() - self.position.seconds
        self._not_counted_from: float | None = self.position.seconds
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
        remaining = self.batches(position.epoch, position.batch)
        while batches := self._take(remaining):
            if self.stopping or self._finished():
                return
            trained = self._try_step(batches)
            position.batch += len(batches)
            position.step += 1
            self._take_time(stepped=True)
            if trained:
                self._call("on_step")

    def _take(self, remaining: Iterator[Batch]) -> list[Batch]:
        """The batches of the next step; none where a stop was asked for that has ended the worker too."""
        try:
            return list(islice(remaining, self.accumulate))
        except DataError:
            if self.stopping:
                return []
            raise

    def batches(self, epoch: int, start: int = 0) -> Iterator[Batch]:
        """An epoch's batches from one on, where the model is; a GPU gets the next one while it computes."""
        return prefetch(self.loader.iterate(epoch, start), device_of_model(self.model))

    def train_step(self, batches: Sequence[Batch]) -> None:
        """Forward, loss and backward for each batch, then one update."""
        self._set_learning_rate()
        self.optimizer.zero_grad()
        samples, value = sum(len(x) for x, _ in batches), 0.0
        place = device_of_model(self.model)
        for x, target in batches:
            x, target = (part.to(place, non_blocking=True) for part in (x, target))
            self.batch, self._random_state = (x, target), get_rng_state()
            output = self.model(x)
            for part in output if isinstance(output, tuple) else (output,):
                self._check_finite("output", part)
            loss = self.loss(output, target)
            self._check_finite("loss", loss)
            share = len(x) / samples
            (loss if share == 1 else loss * share).backward()
            self._check_gradients(self.model.parameters())
            value += loss.item() * share
        self._clip_gradients(self.model.parameters())
        self.optimizer.step()
        self.loss_value = value
        if getattr(output, "shape", None) == target.shape:
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
            try:
                self._call("on_validation_start")
                scores = self.validate()
                if self.stopping:
                    return
                self.position.validation_seconds = time.monotonic() - began
                self._take_time()
                self._call("on_validation", scores)
            finally:
                self._call("on_validation_end")
        self.position.validated_step = self.position.step

    # When it ends

    @property
    def done(self) -> bool:
        """Whether all that was planned is done, the last validation included."""
        return self._finished() and self.position.validated_step == self.position.step

    def _finished(self) -> bool:
        position = self.position
        return position.out_of_time or position.called_off or position.step >= self.total_steps

    def finish(self) -> None:
        """Call the remaining steps off: the training is done as it is, e.g. because it does not improve."""
        self.position.called_off = True

    @property
    def stopping(self) -> bool:
        """Whether a stop was asked for."""
        return self.stop_signal is not None

    def stop(self, signal_number: int) -> None:
        """Ask for a stop after the current step; a resumed run goes on."""
        self.stop_signal = signal_number

    @property
    def progress(self) -> float:
        """From 0 to 1: the share of the steps or of the time that is used, whichever is larger."""
        steps = self.position.step / self.total_steps
        return steps if self.seconds is None else max(steps, min(self._spent() / self.seconds, 1.0))

    def _spent(self) -> float:
        """Seconds of the budget that are gone, with those that the last validation will take."""
        position = self.position
        return position.seconds - position.first_step_seconds + position.validation_seconds

    def _take_time(self, stepped: bool = False) -> None:
        self.position.seconds = time.monotonic() - self._started
        if stepped and self._not_counted_from is not None:
            self.position.first_step_seconds += self.position.seconds - self._not_counted_from
            self._not_counted_from = None
        if self.seconds is not None and self._spent() >= self.seconds:
            self.position.out_of_time = True

    # The parts of a step

    def _set_learning_rate(self) -> None:
        factor = self.schedule(self.progress)
        for group, rate in zip(self.optimizer.param_groups, self.base_rates, strict=True):
            group["lr"] = rate * factor

    def _clip_gradients(self, parameters: Iterable[Tensor]) -> None:
        if self.clip_norm is None and self.on_not_finite == STOP:
            return
        limit = float("inf") if self.clip_norm is None else self.clip_norm
        self.gradient_norm = clip_grad_norm_(parameters, limit).item()
        if not isfinite(self.gradient_norm):
            self._refuse("gradient")

    def _check_gradients(self, parameters: Iterable[Tensor]) -> None:
        grads = [parameter.grad.array for parameter in parameters if parameter.grad is not None]
        if grads and not kernels.all_finite(grads):
            self._refuse("gradient")

    def _check_finite(self, name: str, tensor: Tensor) -> None:
        if not np.isfinite(tensor.array).all():
            self._refuse(name)

    def _refuse(self, name: str) -> None:
        assert self.batch is not None
        where = f"training step {self.position.step + 1} (epoch {self.position.epoch + 1})"
        reason = explain(self.model, self._again, self.batch, self._random_state)
        expected = "numbers; try a smaller learning rate"
        raise TrainingError(where, f"the {name}", f"not finite, {reason}", expected)

    def _again(self, x: Tensor, target: Tensor) -> Tensor:
        """The loss of a batch, once more."""
        return self.loss(self.model(x), target)

    def _try_step(self, batches: list[Batch]) -> bool:
        """Whether the step was made; False if it was skipped, which leaves the model as it was."""
        buffers = [b.array.copy() for b in self.model.buffers()] if self.on_not_finite == SKIP else []
        try:
            self.train_step(batches)
        except TrainingError as error:
            self._call("on_not_finite", error)
            self._skips_in_a_row += 1
            if self.on_not_finite == STOP or self._skips_in_a_row >= SKIPS_IN_A_ROW:
                raise
            for buffer, before in zip(self.model.buffers(), buffers, strict=True):
                buffer.array[...] = before
            self.position.skipped += 1
            return False
        self._skips_in_a_row = 0
        return True

    def _check_options(self) -> None:
        if not is_number(self.accumulate, 1, 2**31, whole=True):
            raise ArgumentError("Trainer", "accumulate", repr(self.accumulate), "a whole number >= 1")
        if self.clip_norm is not None and not (is_number(self.clip_norm, 0, 1e30) and self.clip_norm > 0):
            raise ArgumentError("Trainer", "clip_norm", repr(self.clip_norm), "a number > 0")
        if self.on_not_finite not in (STOP, SKIP):
            raise ArgumentError("Trainer", "on_not_finite", repr(self.on_not_finite), f"{STOP!r} or {SKIP!r}")

    def _call(self, hook: str, *arguments: Any) -> None:
        for callback in self.callbacks:
            getattr(callback, hook)(self, *arguments)
