"""The options of a run that say how a step is made, and when the steps are enough; of every kind of run."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tinyconv.errors import ArgumentError
from tinyconv.nn import Module
from tinyconv.train.callback import Callback
from tinyconv.train.early_stopping import MAX, MIN, EarlyStopping
from tinyconv.train.ema import EMA
from tinyconv.train.fields import is_number
from tinyconv.train.quantity import LOWER
from tinyconv.train.tensorboard import TensorBoard
from tinyconv.train.trainer import SKIP, STOP

AUTO = "auto"
ENDLESS = 10**6
"""Epochs that nobody waits for."""
BOARD = "tensorboard"
"""The folder of the event files, in the run's."""


@dataclass(kw_only=True)
class StepOptions:
    """What a run's config.json holds of them.

    Attributes
    ----------
    accumulate : int
        Batches per step.
    clip_norm : float, optional
        Limit of the norm of the gradients.
    ema : float, optional
        Decay of the average of the weights that is validated in the place of them.
    patience : int, optional
        After so many validations in a row that were no better, training ends.
    on_not_finite : str
        ``stop`` or ``skip``.
    class_weights : list of float, "auto", or None
        What each class counts in the loss; ``auto`` is replaced by the numbers when the data are read.
    tensorboard : bool
        Whether event files are written too.

    Examples
    --------
    >>> StepOptions(accumulate=2).trainer_options()
    {'accumulate': 2, 'clip_norm': None, 'on_not_finite': 'stop'}
    """

    accumulate: int = 1
    clip_norm: float | None = None
    ema: float | None = None
    patience: int | None = None
    on_not_finite: str = STOP
    class_weights: Any = None
    tensorboard: bool = False

    def check_steps(self) -> None:
        """Raise `ArgumentError` at the first of these options that makes no sense."""
        self._require("accumulate", is_number(self.accumulate, 1, 2**16, whole=True), "from 1 to 65536")
        for name, low, high, whole, expected in (
            ("clip_norm", 1e-12, 1e12, False, "a number above 0"),
            ("ema", 0, 1 - 1e-9, False, "a number from 0 to below 1"),
            ("patience", 1, 2**31, True, "a whole number from 1"),
        ):
            value = getattr(self, name)
            self._require(name, value is None or is_number(value, low, high, whole), expected)
        self._require("on_not_finite", self.on_not_finite in (STOP, SKIP), f"{STOP} or {SKIP}")
        self._require("tensorboard", isinstance(self.tensorboard, bool), "true or false")
        weights = self.class_weights
        fits = weights in (None, AUTO) or (
            isinstance(weights, list)
            and all(is_number(weight, 0, 1e9) for weight in weights)
            and any(weights)
        )
        self._require("class_weights", fits, f"{AUTO}, or numbers such as 1,2.5,4")

    def _require(self, name: str, fits: bool, expected: str) -> None:
        if not fits:
            raise ArgumentError("train", name, repr(getattr(self, name)), expected)

    def trainer_options(self) -> dict[str, Any]:
        """Those that `Trainer` takes."""
        return {name: getattr(self, name) for name in ("accumulate", "clip_norm", "on_not_finite")}

    def callbacks(self, model: Module, quantity: str, folder: Path = Path()) -> list[Callback]:
        """The callbacks that the others stand for; the held-out `quantity` is what matters."""
        made: list[Callback] = []
        if self.tensorboard:
            made.append(TensorBoard(folder / BOARD))
        if self.ema is not None:
            made.append(EMA(model, self.ema))
        if self.patience is not None:
            mode = MIN if quantity in LOWER else MAX
            made.append(EarlyStopping(f"held_out_{quantity}", self.patience, mode=mode))
        return made


def read_weights(value: Any) -> Any:
    """Class weights from a text such as ``1,2.5`` or ``auto``; what is no such text stays as it is.

    Examples
    --------
    >>> read_weights("1, 2.5"), read_weights("auto")
    ([1.0, 2.5], 'auto')
    """
    if not isinstance(value, str) or value == AUTO:
        return value
    try:
        return [float(part) for part in value.split(",")]
    except ValueError:
        return value


def read_numbers(name: str, value: Any) -> tuple[int, ...]:
    """Whole numbers from a text such as ``8,16,32``."""
    try:
        return tuple(int(part) for part in str(value).replace(" ", ",").split(",") if part)
    except ValueError:
        raise ArgumentError("train", f"--{name}", repr(value), "whole numbers, such as 16,32,64") from None


def with_step_options(fields: dict[str, Any]) -> dict[str, Any]:
    """The fields of a config.json, with the defaults of these options where an earlier version lacks them."""
    return {field.name: field.default for field in dataclasses.fields(StepOptions)} | fields


def defaults_by_the_clock(given: dict[str, Any]) -> dict[str, Any]:
    """Options of a run that ends after so many minutes, and not after a number of epochs or steps.

    Validations are rarer, as their time is lost for training.

    Examples
    --------
    >>> defaults_by_the_clock({"minutes": 15.0})
    {'epochs': 1000000, 'validate_every': 10}
    >>> defaults_by_the_clock({"minutes": 15.0, "epochs": 40})
    {}
    """
    ends = [given.get(name) for name in ("epochs", "steps")]
    if given.get("minutes") is None or ends != [None, None]:
        return {}
    return {"epochs": ENDLESS, "validate_every": 10}


def describe_length(planned: int, config: Any) -> str:
    """How long a run is, at most, if its epochs have `planned` steps."""
    minutes = "" if config.minutes is None else f"{config.minutes:g} minutes"
    if config.epochs >= ENDLESS and config.steps is None and minutes:
        return minutes
    steps = f"{planned if config.steps is None else min(config.steps, planned)} steps"
    return f"{steps} or {minutes}" if minutes else steps
