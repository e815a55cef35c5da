"""What is seen while training: a bar in a terminal, plain lines elsewhere."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable
from typing import Any

from tinyconv.errors import TrainingError
from tinyconv.train.callback import Callback, Scores
from tinyconv.train.quantity import TITLES, UNMEASURED
from tinyconv.train.trainer import Trainer

PLAIN_EVERY_SECONDS = 10.0
HELD_OUT = "held_out_"
MEMORY = 0.95  # of the running means


class Progress(Callback):
    """Loss, Dice or accuracy or the parts of the loss, images per second and time left.

    What is shown of the steps are running means over about 20 of them.

    Parameters
    ----------
    batch_size : int
    quantity : str
        One of `quantity.TITLES`; empty where nothing says which checkpoint is the best.
    measure : callable, optional
        Gives that quantity of the last training step, NaN where there is none; by default the Dice of
        the trainer's counts.
    """

    def __init__(
        self, batch_size: int, quantity: str = "dice", measure: Callable[[], float] | None = None
    ) -> None:
        self.batch_size, self.quantity, self.measure = batch_size, quantity, measure
        self.shown: dict[str, Mean] = {}
        self.step_seconds = Mean()
        self._bar: Any = None
        self._first_step: int | None = None
        self._first_time = self._shown_at = 0.0
        self._step_ended: float | None = None

    def __enter__(self) -> Progress:
        if sys.stdout.isatty():
            self._bar = _rich_bar()
            self._bar.start()
            self._task = self._bar.add_task("", total=1.0, scores="", speed="", left="")
        return self

    def __exit__(self, *error: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def on_step(self, trainer: Trainer) -> None:
        for name, value in self._measured(trainer).items():
            self.shown.setdefault(name, Mean()).add(value)
        self._time_step()
        if self._first_step is None:  # it may have held the compilation: speed is measured from here on
            self._first_step, self._first_time = trainer.position.step, time.monotonic()
            self._first_progress = trainer.progress
        if self._bar is not None:
            self._show_bar(trainer)
        elif time.monotonic() - self._shown_at >= PLAIN_EVERY_SECONDS:
            self._show_line(trainer)

    def on_not_finite(self, trainer: Trainer, error: TrainingError) -> None:
        self._say(f"not finite: {error}")

    def on_validation(self, trainer: Trainer, scores: Scores) -> None:
        self._step_ended = None
        named = {
            TITLES.get(name.removeprefix(HELD_OUT), name.removeprefix(HELD_OUT)): name for name in scores
        }
        if self.quantity:
            named = {TITLES[self.quantity]: f"{HELD_OUT}{self.quantity}"}
        shown = ", ".join(f"{title.replace('_', ' ')} {scores[name]:.4f}" for title, name in named.items())
        self._say(f"{self._place(trainer)}: held-out {shown}")

    def on_stop(self, trainer: Trainer) -> None:
        if self._bar is not None:
            self._bar.update(self._task, completed=trainer.progress)

    def _show_bar(self, trainer: Trainer) -> None:
        self._bar.update(
            self._task,
            completed=trainer.progress,
            description=self._place(trainer),
            scores=self._scores(),
            speed=self._speed(),
            left=self._left(trainer),
        )

    def _show_line(self, trainer: Trainer) -> None:
        self._shown_at = time.monotonic()
        parts = (self._place(trainer), self._scores(), self._speed(), self._left(trainer))
        self._say(", ".join(part for part in parts if part))

    def _say(self, text: str) -> None:
        if self._bar is not None:
            self._bar.console.print(text, highlight=False, markup=False)
        else:
            print(text, flush=True)

    def _place(self, trainer: Trainer) -> str:
        return f"epoch {trainer.position.epoch + 1}, step {trainer.position.step}"

    def _scores(self) -> str:
        digits = {TITLES[name]: 3 for name in TITLES if name not in UNMEASURED}
        return ", ".join(f"{name} {mean.value:.{digits.get(name, 4)}f}" for name, mean in self.shown.items())

    def _measured(self, trainer: Trainer) -> dict[str, float]:
        """What there is to be said of the last step."""
        loss = {"loss": trainer.loss_value}
        if self.quantity in UNMEASURED:
            values, others = (getattr(trainer.loss, name, {}) for name in ("values", "measured"))
            return (loss if self.quantity else {}) | values | others
        reached = trainer.counts.dice if self.measure is None else self.measure()
        return {**loss, TITLES[self.quantity]: reached}

    def _time_step(self) -> None:
        """Add the time since the last step, unless there was none or a validation lay between."""
        now = time.monotonic()
        if self._step_ended is not None:
            self.step_seconds.add(now - self._step_ended)
        self._step_ended = now

    def _speed(self) -> str:
        seconds = self.step_seconds.value
        return f"{self.batch_size / seconds:.1f} images/s" if seconds > 0 else ""

    def _left(self, trainer: Trainer) -> str:
        assert self._first_step is not None
        gained = trainer.progress - self._first_progress
        if trainer.position.step - self._first_step < 3 or gained <= 0:
            return ""
        left = round((time.monotonic() - self._first_time) * (1 - trainer.progress) / gained)
        return f"{left // 60}:{left % 60:02d} left"


class Mean:
    """A running mean that forgets.

    Examples
    --------
    >>> mean = Mean()
    >>> mean.add(2.0)
    >>> mean.value
    2.0
    """

    def __init__(self) -> None:
        self._sum = self._weight = 0.0

    def add(self, value: float) -> None:
        """Take in one more value; NaN, which is none, is passed over."""
        if math.isnan(value):
            return
        self._sum = MEMORY * self._sum + value
        self._weight = MEMORY * self._weight + 1

    @property
    def value(self) -> float:
        """The mean, the latest values weighing most."""
        return self._sum / self._weight if self._weight else float("nan")


def _rich_bar() -> Any:
    from rich.progress import BarColumn, Progress, TextColumn

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        TextColumn("{task.percentage:>3.0f} %"),
        TextColumn("{task.fields[scores]}"),
        TextColumn("{task.fields[speed]}"),
        TextColumn("{task.fields[left]}"),
    )
