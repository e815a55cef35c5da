"""What callbacks remember, in and out of a checkpoint."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from tinyconv.errors import CheckpointError, TinyconvError
from tinyconv.train.callback import Callback
from tinyconv.train.checkpoint import Checkpoint

Array = Any

CALLBACK = "callback."


def callback_state(callbacks: Sequence[Callback]) -> tuple[dict[str, Array], dict[str, Any]]:
    """The arrays by name, and by callback what JSON can hold; of those that remember something."""
    arrays: dict[str, Array] = {}
    rest: dict[str, Any] = {}
    for name, callback in _named(callbacks):
        state = callback.state_dict()
        if state:
            own = {key: value for key, value in state.items() if hasattr(value, "shape")}
            arrays |= {f"{CALLBACK}{name}.{key}": value for key, value in own.items()}
            rest[name] = {key: value for key, value in state.items() if key not in own}
    return arrays, rest


def restore_callbacks(checkpoint: Checkpoint, callbacks: Sequence[Callback]) -> None:
    """Give the callbacks what they remembered when the checkpoint was written.

    Raises
    ------
    CheckpointError
        If one of them remembers something of which the checkpoint has nothing, or nothing usable.
    """
    for name, callback in _named(callbacks):
        if name not in checkpoint.callbacks and not callback.state_dict():
            continue
        prefix = f"{CALLBACK}{name}."
        state = {key[len(prefix) :]: a for key, a in checkpoint.tensors.items() if key.startswith(prefix)}
        if name not in checkpoint.callbacks:
            found = ", ".join(checkpoint.callbacks) or "of none"
            raise CheckpointError("restore", "the state of callbacks", found, f"that of {name} too")
        try:
            callback.load_state_dict(state | dict(checkpoint.callbacks[name]))
        except (ArithmeticError, AttributeError, KeyError, TypeError, ValueError, TinyconvError) as error:
            found = f"not usable ({type(error).__name__}: {error})"
            raise CheckpointError("restore", f"the state of {name}", found, "what it returned") from error


def _named(callbacks: Sequence[Callback]) -> list[tuple[str, Callback]]:
    """The callbacks by their classes' names, numbered where there are several of one."""
    seen: Counter[str] = Counter()
    named = []
    for callback in callbacks:
        name = type(callback).__name__
        seen[name] += 1
        named.append((name if seen[name] == 1 else f"{name}{seen[name]}", callback))
    return named
