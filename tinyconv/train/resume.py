"""Going on from a run's last checkpoint, all of which is checked before training begins."""

from __future__ import annotations

import dataclasses
from typing import Any

from tinyconv.device import set_rng_state
from tinyconv.errors import CheckpointError
from tinyconv.train.callback import Position
from tinyconv.train.callback_state import restore_callbacks
from tinyconv.train.checkpoint import Checkpoint, load_checkpoint, restore
from tinyconv.train.fields import is_number
from tinyconv.train.folder import LAST, RunFolder
from tinyconv.train.quantity import most
from tinyconv.train.trainer import Trainer

MOST = 2**53
SINCE = {"called_off": False, "skipped": 0, "first_step_seconds": 0.0}
"""What runs of earlier versions do not say of their position."""


def load_last(folder: RunFolder, quantity: str) -> Checkpoint:
    """The last checkpoint of a run, which must be one of the run's model.

    Parameters
    ----------
    folder : RunFolder
    quantity : str
        What decides which checkpoint is the best; empty where nothing does.

    Raises
    ------
    CheckpointError
        If it is damaged, belongs to another model, or its position or scores make no sense.
    """
    checkpoint = load_checkpoint(folder.path, LAST)
    where = f"{folder.path / LAST}.json"
    if checkpoint.model_name != folder.config.model:
        found, expected = repr(checkpoint.model_name), f"{folder.config.model!r}, this run's model"
        raise CheckpointError(where, "the model", found, expected)
    validated = _position(where, checkpoint.position).validated_step >= 0
    score = f"held_out_{quantity}"
    largest = {score: most(quantity), f"best_{score}": most(quantity), "best_step": MOST} if quantity else {}
    for name, high in largest.items():
        if validated or name in checkpoint.scores:
            _require(where, f"scores.{name}", checkpoint.scores.get(name), 0, high, name == "best_step")
    return checkpoint


def go_back(checkpoint: Checkpoint, trainer: Trainer) -> None:
    """Put the trainer and the random generators where they were when the checkpoint was written.

    Raises
    ------
    CheckpointError
        If the checkpoint is another model's or optimiser's, or holds what makes no sense.
    """
    position = _position("resume", checkpoint.position)
    batches = len(trainer.loader)
    if position.batch > batches:
        raise CheckpointError("resume", "position.batch", position.batch, f"at most {batches}, an epoch's")
    restore(checkpoint, trainer.model, trainer.optimizer)
    restore_callbacks(checkpoint, trainer.callbacks)
    trainer.position = position
    _set_random_state(checkpoint.random_state)


def _position(where: str, fields: dict[str, Any]) -> Position:
    wanted = [field.name for field in dataclasses.fields(Position)]
    fields = {**SINCE, **fields}
    if set(fields) != set(wanted):
        raise CheckpointError(where, "the fields of the position", sorted(fields), f"{sorted(wanted)}")
    for name in ("epoch", "batch", "step", "skipped"):
        _require(where, f"position.{name}", fields[name], 0, MOST, whole=True)
    _require(where, "position.validated_step", fields["validated_step"], -1, fields["step"], whole=True)
    for name in ("seconds", "validation_seconds", "first_step_seconds"):
        _require(where, f"position.{name}", fields[name], 0, MOST)
    for name in ("out_of_time", "called_off"):
        if not isinstance(fields[name], bool):
            raise CheckpointError(where, f"position.{name}", repr(fields[name]), "true or false")
    return Position(**fields)


def _require(where: str, name: str, value: Any, low: float, high: float, whole: bool = False) -> None:
    if not is_number(value, low, high, whole):
        expected = f"a {'whole ' if whole else ''}number from {low} to {high}"
        raise CheckpointError(where, name, repr(value), expected)


def _set_random_state(state: dict[str, Any]) -> None:
    for name in ("seed", "masks_drawn"):
        _require("resume", f"random_state.{name}", state.get(name), 0, 2**64 - 1, whole=True)
    try:
        set_rng_state(state)
    except (ArithmeticError, AttributeError, KeyError, TypeError, ValueError) as error:
        expected = "what tc.get_rng_state returned"
        raise CheckpointError("resume", "random_state", f"not usable ({error})", expected) from error
