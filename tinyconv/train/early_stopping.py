"""Stop when validations do not get better any more."""

from __future__ import annotations

import math
from typing import Any

from tinyconv.errors import ArgumentError
from tinyconv.train.callback import Callback, Scores
from tinyconv.train.fields import is_number
from tinyconv.train.trainer import Trainer

MAX, MIN = "max", "min"


class EarlyStopping(Callback):
    """Call training off after `patience` validations in a row without a better score.

    The validations must not be of the data that the result is reported on (Prechelt 1998).

    Parameters
    ----------
    score : str
        Its name among the scores that the validation returns.
    patience : int
    least : float
        What the best score must be exceeded by, to count as better.
    mode : {"max", "min"}
        Whether larger or smaller is better.

    Attributes
    ----------
    best : float
        The best score; NaN before the first. A score that is NaN is never better.
    waited : int
        Validations since the best one.

    Examples
    --------
    >>> stopping = EarlyStopping("held_out_loss", patience=3, mode="min")
    """

    def __init__(self, score: str, patience: int = 10, least: float = 0.0, mode: str = MAX) -> None:
        if not is_number(patience, 1, 2**31, whole=True):
            raise ArgumentError("EarlyStopping", "patience", repr(patience), "a whole number >= 1")
        if not is_number(least, 0, 1e300):
            raise ArgumentError("EarlyStopping", "least", repr(least), "a number >= 0")
        if mode not in (MAX, MIN):
            raise ArgumentError("EarlyStopping", "mode", repr(mode), f"{MAX!r} or {MIN!r}")
        self.score, self.patience, self.least, self.mode = score, patience, least, mode
        self.best, self.waited = math.nan, 0

    def on_validation(self, trainer: Trainer, scores: Scores) -> None:
        if self.score not in scores:
            found, expected = repr(self.score), f"one of {', '.join(sorted(scores)) or 'none'}"
            raise ArgumentError("EarlyStopping", "score", found, expected)
        if self._is_better(scores[self.score]):
            self.best, self.waited = scores[self.score], 0
            return
        self.waited += 1
        if self.waited >= self.patience:
            trainer.finish()

    def _is_better(self, value: float) -> bool:
        if math.isnan(self.best):
            return not math.isnan(value)
        gain = value - self.best if self.mode == MAX else self.best - value
        return gain > self.least

    def state_dict(self) -> dict[str, Any]:
        return {"best": None if math.isnan(self.best) else self.best, "waited": self.waited}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        best = state["best"]
        self.best, self.waited = math.nan if best is None else float(best), int(state["waited"])
