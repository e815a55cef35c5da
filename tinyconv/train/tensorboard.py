"""Losses and scores for TensorBoard, where it is installed (``pip install 'tinyconv[tensorboard]'``)."""

from __future__ import annotations

import os
from typing import Any

from tinyconv.errors import PackageError
from tinyconv.train.callback import Callback, Scores
from tinyconv.train.trainer import Trainer


class TensorBoard(Callback):
    """Write the loss, its parts, the learning rate and the validation's scores as event files.

    Parameters
    ----------
    folder : path
        What ``tensorboard --logdir`` is to be given.

    Raises
    ------
    PackageError
        If tensorboard is not installed.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        try:
            from tensorboard.summary import Writer
        except ImportError as error:
            expected = "installed: pip install 'tinyconv[tensorboard]'"
            raise PackageError("TensorBoard", "tensorboard", "missing", expected) from error
        self._writer: Any = Writer(os.fspath(folder))

    def on_step(self, trainer: Trainer) -> None:
        self._add(trainer, "training/loss", trainer.loss_value)
        for name, value in getattr(trainer.loss, "values", {}).items():
            self._add(trainer, f"training/{name}", value)
        if trainer.gradient_norm is not None:
            self._add(trainer, "training/gradient_norm", trainer.gradient_norm)
        self._add(trainer, "training/learning_rate", trainer.optimizer.param_groups[0]["lr"])

    def on_validation(self, trainer: Trainer, scores: Scores) -> None:
        for name, value in scores.items():
            self._add(trainer, f"validation/{name}", value)
        self._writer.flush()

    def on_stop(self, trainer: Trainer) -> None:
        self._writer.flush()

    def _add(self, trainer: Trainer, name: str, value: float) -> None:
        self._writer.add_scalar(name, value, trainer.position.step)
