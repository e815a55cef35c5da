"""What is called while a model trains, and where training stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tinyconv.errors import TrainingError

if TYPE_CHECKING:
    from tinyconv.train.trainer import Trainer

Scores = dict[str, float]


class Callback:
    """What a Trainer calls; a subclass overrides what it needs.

    One that remembers something which a resumed run must know returns it in `state_dict`; what
    it returned comes back in `load_state_dict`.
    """

    def on_step(self, trainer: Trainer) -> None:
        """After each optimiser step; see `Trainer.loss_value`, `Trainer.counts`."""

    def on_not_finite(self, trainer: Trainer, error: TrainingError) -> None:
        """When a step came upon NaN or an infinity; see `Trainer.batch`. No `on_step` follows."""

    def on_validation_start(self, trainer: Trainer) -> None:
        """Before each validation, with the model in evaluation mode."""

    def on_validation(self, trainer: Trainer, scores: Scores) -> None:
        """After each validation, with what it returned."""

    def on_validation_end(self, trainer: Trainer) -> None:
        """After all that `on_validation` did, after a stop or an error in between too."""

    def on_epoch_end(self, trainer: Trainer) -> None:
        """When the position has moved on to the next epoch, or training is done."""

    def on_stop(self, trainer: Trainer) -> None:
        """At the end, whether training is done or was interrupted; not after an error."""

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint keeps: arrays, and what JSON can hold, by name."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from what `state_dict` returned."""


@dataclass
class Position:
    """How far training has come.

    Attributes
    ----------
    epoch, batch : int
        The epoch, and how many of its batches have been trained on.
    step : int
        Optimiser steps since the start, skipped ones included.
    validated_step : int
        The step of the last validation, -1 before the first.
    seconds, validation_seconds : float
        Time spent, earlier sessions included, and how long the last validation took.
    first_step_seconds : float
        Of that, what each session took to the end of its first step, in which kernels may be compiled. A
        time budget leaves it out.
    out_of_time : bool
        Whether the time budget is used up.
    called_off : bool
        Whether `Trainer.finish` was called.
    skipped : int
        Steps without an update, because something was not finite.
    """

    epoch: int = 0
    batch: int = 0
    step: int = 0
    validated_step: int = -1
    seconds: float = 0.0
    validation_seconds: float = 0.0
    first_step_seconds: float = 0.0
    out_of_time: bool = False
    called_off: bool = False
    skipped: int = 0
