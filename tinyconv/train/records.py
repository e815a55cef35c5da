"""Callbacks that write a run's metrics and checkpoints."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from tinyconv.device import array_module, get_rng_state
from tinyconv.errors import TrainingError
from tinyconv.io import not_finite, save_state
from tinyconv.train.callback import Callback, Scores
from tinyconv.train.callback_state import callback_state
from tinyconv.train.checkpoint import MODEL, Checkpoint, optimizer_state, save_checkpoint
from tinyconv.train.folder import BAD_BATCH, BEST, LAST, METRICS, Metrics, RunFolder
from tinyconv.train.quantity import UNMEASURED, is_better
from tinyconv.train.trainer import Trainer
from tinyconv.train.versions import find_versions

SAVE_EVERY_SECONDS = 30.0


class Recorder(Callback):
    """Writes metrics.jsonl, the last checkpoint and the best one.

    The last checkpoint is written when `SAVE_EVERY_SECONDS` have gone by, and at the end; the
    best one when a validation gives a higher score than all before, at once.

    Parameters
    ----------
    folder : RunFolder
    model_name, model_options
        What the model was created from.
    scores : dict
        Scores of an earlier session: the last ones and, as ``best_...``, the best.
    quantity : str
        One of `quantity.TITLES`; the best checkpoint is that with the best ``held_out_...`` of it. Where
        it is empty, there is none.
    measure : callable, optional
        Gives that quantity of the last training step, NaN where there is none; by default the Dice of
        the trainer's counts.
    """

    def __init__(
        self,
        folder: RunFolder,
        model_name: str,
        model_options: dict[str, Any],
        scores: dict[str, Any],
        quantity: str = "dice",
        measure: Callable[[], float] | None = None,
    ) -> None:
        self.quantity, self.measure = quantity, measure
        self.folder, self.model_name, self.model_options = folder, model_name, model_options
        self.scores = dict(scores)
        self.metrics = Metrics(folder.path / METRICS)
        self.versions = find_versions()
        self._clock: Callable[[], float] = time.monotonic
        self._saved_at = self._clock()

    def on_step(self, trainer: Trainer) -> None:
        position = trainer.position
        reached = trainer.counts.dice if self.measure is None else self.measure()
        self.metrics.add(
            {
                "epoch": position.epoch,
                "step": position.step,
                "loss": trainer.loss_value,
                **({} if self.quantity in UNMEASURED else {self.quantity: _json(reached)}),
                **{f"{name}_loss": value for name, value in getattr(trainer.loss, "values", {}).items()},
                **getattr(trainer.loss, "measured", {}),
                **({} if trainer.gradient_norm is None else {"gradient_norm": trainer.gradient_norm}),
                "lr": trainer.optimizer.param_groups[0]["lr"],
                "seconds": round(position.seconds, 3),
            }
        )
        self._save_if_due(trainer)

    def on_not_finite(self, trainer: Trainer, error: TrainingError) -> None:
        """The batch goes into a file, for whoever looks for the reason."""
        position = trainer.position
        self.metrics.add({"epoch": position.epoch, "step": position.step + 1, "not_finite": str(error)})
        self.metrics.write()
        if trainer.batch is None:
            return
        named = zip(("input", "target"), trainer.batch, strict=True)
        arrays = {name: value for name, value in named if hasattr(value, "shape")}
        save_state(self.folder.path / BAD_BATCH, arrays, {"error": str(error)})

    def on_validation(self, trainer: Trainer, scores: Scores) -> None:
        position = trainer.position
        self.metrics.add({"epoch": position.epoch, "step": position.step, **scores})
        self.scores |= scores
        score = f"held_out_{self.quantity}"
        if score in scores and is_better(self.quantity, scores[score], self.scores.get(f"best_{score}")):
            self.scores |= {f"best_{score}": scores[score], "best_step": position.step}
            save_checkpoint(self.folder.path, BEST, self._model_checkpoint(trainer))

    def on_epoch_end(self, trainer: Trainer) -> None:
        self.metrics.write()
        self._save_if_due(trainer)

    def on_stop(self, trainer: Trainer) -> None:
        self._save(trainer)

    def _save_if_due(self, trainer: Trainer) -> None:
        if self._clock() - self._saved_at >= SAVE_EVERY_SECONDS:
            self._save(trainer)

    def _save(self, trainer: Trainer) -> None:
        """Metrics first: lines beyond the checkpoint are cut on resuming, missing ones stay missing."""
        self.metrics.write()
        checkpoint = self._model_checkpoint(trainer)
        arrays, checkpoint.optimizer = optimizer_state(trainer.optimizer)
        kept, checkpoint.callbacks = callback_state(trainer.callbacks)
        checkpoint.tensors |= arrays | kept
        checkpoint.random_state = get_rng_state()
        save_checkpoint(self.folder.path, LAST, checkpoint)
        self.folder.settle()
        self._saved_at = self._clock()

    def _model_checkpoint(self, trainer: Trainer) -> Checkpoint:
        """Raises where a number is not finite: what was saved before is worth more.

        An infinity in a buffer is meant: a mask of scores has them.
        """
        state = {name: tensor.array for name, tensor in trainer.model.state_dict().items()}
        trained = {name for name, _ in trainer.model.named_parameters()}
        bad = [name for name in not_finite(state) if name in trained or _has_nan(state[name])]
        if bad:
            found = f"not finite in the model's {', '.join(bad[:3])}"
            where = f"after training step {trainer.position.step}"
            raise TrainingError(where, "what is to be saved", found, "numbers; try a smaller learning rate")
        return Checkpoint(
            self.model_name,
            self.model_options,
            {MODEL + name: array for name, array in state.items()},
            position=asdict(trainer.position),
            scores=dict(self.scores),
            versions=dict(self.versions),
        )


def _json(value: float) -> float | None:
    """A number, or None, as JSON has no NaN."""
    return None if math.isnan(value) else value


def _has_nan(array: Any) -> bool:
    return bool(array_module(array).isnan(array).any())
