"""Losses and scores for TensorBoard, where it is installed (``pip install 'tinyconv[tensorboard]'``)."""

from __future__ import annotations

import os
import time
from typing import Any

from tinyconv.errors import PackageError
from tinyconv.train.callback import Callback, Scores
from tinyconv.train.fields import is_number
from tinyconv.train.trainer import Trainer


class TensorBoard(Callback):
    """Write the loss, its parts, the learning rate and the validation's scores as event files.

    A run that is gone on with, or one in the place of another, writes a further file, which tells
    TensorBoard from which step on the earlier ones are void.

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
            from tensorboard.summary.writer.event_file_writer import EventFileWriter
        except ImportError as error:
            expected = "installed: pip install 'tinyconv[tensorboard]'"
            raise PackageError("TensorBoard", "tensorboard", "missing", expected) from error
        self._writer: Any = EventFileWriter(os.fspath(folder))
        self._step: int | None = None
        self._values: dict[str, float] = {}

    def on_step(self, trainer: Trainer) -> None:
        values = {"loss": trainer.loss_value, **getattr(trainer.loss, "values", {})}
        if trainer.gradient_norm is not None:
            values["gradient_norm"] = trainer.gradient_norm
        values["learning_rate"] = trainer.optimizer.param_groups[0]["lr"]
        self._add(trainer.position.step, {f"training/{name}": value for name, value in values.items()})

    def on_validation(self, trainer: Trainer, scores: Scores) -> None:
        self._add(trainer.position.step, {f"validation/{name}": value for name, value in scores.items()})
        self._writer.flush()

    def on_stop(self, trainer: Trainer) -> None:
        self._writer.flush()

    def state_dict(self) -> dict[str, Any]:
        return {"step": self._step, "values": dict(self._values)} if self._values else {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Write the last step's values again: what an earlier session wrote from it on is void."""
        step, values = state["step"], state["values"]
        floats = all(isinstance(value, float) for value in values.values())
        if not (floats and is_number(step, 0, 2**53, whole=True)):
            raise ValueError("no step and its values")
        self._add(step, values)

    def _add(self, step: int, values: dict[str, float]) -> None:
        """Write the values of a step, and remember them for as long as it is the last one.

        The first ones tell TensorBoard to forget what earlier files have from this step on.
        """
        if self._step is None:
            self._write(step, session_log={"status": "START"})
        if step != self._step:
            self._step, self._values = step, {}
        for tag, value in values.items():
            self._values[tag] = float(value)
            self._write(step, summary={"value": [{"tag": tag, "simple_value": self._values[tag]}]})

    def _write(self, step: int, **content: Any) -> None:
        from tensorboard.compat.proto.event_pb2 import Event

        self._writer.add_event(Event(wall_time=time.time(), step=step, **content))
