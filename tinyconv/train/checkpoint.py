"""Checkpoints: everything that a run needs to go on, in a pair of files.

``last.json`` says where training stands and names the safetensors file with the numbers, whose
name holds the start of its SHA-256. The numbers are written first, under a new name; then
``last.json`` is replaced, in one step; only then are the numbers of the checkpoint before it
removed. A crash at any moment leaves a ``last.json`` and the file that belongs to it. Both have
checksums: a bit that changed on the disk is noticed, not trained on.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from tinyconv._version import __version__
from tinyconv.errors import CheckpointError, StorageError, TinyconvError
from tinyconv.grad_mode import no_grad
from tinyconv.io import load_state, save_state, storage_error, write_whole
from tinyconv.nn import Module
from tinyconv.optim import Optimizer
from tinyconv.tensor import Tensor
from tinyconv.train.fields import is_number, read_json

Array = Any

FORMAT = "tinyconv checkpoint"
VERSION = 1
MAX_JSON_BYTES = 2**24
SIGNATURE = "sha256"
MODEL, OPTIMIZER = "model.", "optimizer."


@dataclass
class Checkpoint:
    """What a checkpoint holds.

    Attributes
    ----------
    model_name, model_options
        What `models.create` makes the model from.
    tensors : dict of str to array
        The model's state under ``model.``, the optimiser's under ``optimizer.<parameter>.``.
    optimizer : dict
        The optimiser's name, options and the state that is no array; empty if it was not saved.
    position, random_state, scores : dict
        Where training stands, see `Position`; `tc.get_rng_state`; scores by name.
    callbacks : dict
        What callbacks remember, see `callback_state`; their arrays stand under ``callback.<name>.``.
    versions : dict
        Of the code that wrote it, see `find_versions`; nothing depends on them.
    """

    model_name: str
    model_options: dict[str, Any]
    tensors: dict[str, Array]
    optimizer: dict[str, Any] = field(default_factory=dict)
    position: dict[str, Any] = field(default_factory=dict)
    random_state: dict[str, Any] = field(default_factory=dict)
    scores: dict[str, Any] = field(default_factory=dict)
    callbacks: dict[str, Any] = field(default_factory=dict)
    versions: dict[str, Any] = field(default_factory=dict)

    @property
    def model_state(self) -> dict[str, Array]:
        """The model's state dict."""
        return _below(MODEL, self.tensors)


def save_checkpoint(folder: Path, name: str, checkpoint: Checkpoint) -> Path:
    """Write ``<name>.json`` and the safetensors file that it names.

    Raises
    ------
    StorageError
        If one of them cannot be written; the checkpoint that was there is still whole.
    """
    unnamed = save_state(folder / f".{name}.new.safetensors", checkpoint.tensors)
    digest = _sha256(unnamed)
    numbers = folder / f"{name}-{digest[:12]}.safetensors"
    is_new = not numbers.exists()
    described = {
        "format": FORMAT,
        "version": VERSION,
        "tinyconv": __version__,
        "numbers": {"file": numbers.name, "sha256": digest},
        **{key: value for key, value in vars(checkpoint).items() if key != "tensors"},
    }
    try:
        _rename(unnamed, numbers)
        path = write_whole(folder / f"{name}.json", (json.dumps(signed(described), indent=2) + "\n").encode())
    except StorageError:
        for file in (unnamed, numbers) if is_new else (unnamed,):
            with contextlib.suppress(OSError):
                file.unlink(missing_ok=True)
        raise
    _remove_others(folder, name, numbers)
    return path


def signed(described: dict[str, Any]) -> dict[str, Any]:
    """What a run's JSON file holds, with the SHA-256 of it (sorted by name, without spaces)."""
    content = json.loads(json.dumps({key: value for key, value in described.items() if key != SIGNATURE}))
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return content | {SIGNATURE: hashlib.sha256(text.encode()).hexdigest()}


def unsigned(described: dict[str, Any]) -> dict[str, Any]:
    """What `signed` was given; what was written without a checksum is believed.

    Raises
    ------
    ValueError
        If the checksum is another.
    """
    if SIGNATURE in described and described[SIGNATURE] != signed(described)[SIGNATURE]:
        raise ValueError("wrong SHA-256")
    return {key: value for key, value in described.items() if key != SIGNATURE}


def load_checkpoint(folder: Path, name: str) -> Checkpoint:
    """Read the checkpoint `name` of a folder.

    Raises
    ------
    CheckpointError
        If one of its two files is missing, damaged, cut short, or not the other's.
    """
    path = folder / f"{name}.json"
    described = _read_json(path)
    numbers = described.pop("numbers")
    file = folder / Path(str(numbers["file"])).name
    try:
        digest = _sha256(file)
    except FileNotFoundError as error:
        expected = f"the numbers that {path.name} names"
        raise CheckpointError("load", repr(str(file)), "missing", expected) from error
    except (OSError, ValueError) as error:
        found = f"unreadable ({error})"
        raise CheckpointError("load", repr(str(file)), found, "a file that can be read") from error
    if digest != numbers["sha256"]:
        found = "damaged or cut short (wrong SHA-256)"
        raise CheckpointError("load", repr(str(file)), found, f"what {path.name} was written with")
    tensors, _ = load_state(file)
    return Checkpoint(tensors=tensors, **described)


def optimizer_state(optimizer: Optimizer) -> tuple[dict[str, Array], dict[str, Any]]:
    """Split an optimiser's state into arrays by name, and the rest, which JSON can hold."""
    state = optimizer.state_dict()
    arrays: dict[str, Array] = {}
    rest: dict[str, dict[str, Any]] = {}
    for index, entry in state["state"].items():
        for key, value in entry.items():
            if hasattr(value, "shape"):
                arrays[f"{OPTIMIZER}{index}.{key}"] = value
            else:
                rest.setdefault(str(index), {})[key] = value
    name = type(optimizer).__name__
    return arrays, {"name": name, "param_groups": state["param_groups"], "state": rest}


def restore(checkpoint: Checkpoint, model: Module, optimizer: Optimizer) -> None:
    """Give model and optimiser the state that they had.

    Raises
    ------
    CheckpointError
        If the checkpoint belongs to another model or another optimiser.
    """
    model.load_state_dict(checkpoint.model_state)
    name = type(optimizer).__name__
    saved = checkpoint.optimizer
    if saved.get("name") != name:
        raise CheckpointError("restore", "the optimizer", repr(saved.get("name")), repr(name))
    try:
        state = {int(index): dict(entry) for index, entry in saved["state"].items()}
        for key, array in _below(OPTIMIZER, checkpoint.tensors).items():
            index, _, entry = key.partition(".")
            state.setdefault(int(index), {})[entry] = array
        optimizer.load_state_dict({"state": state, "param_groups": saved["param_groups"]})
        for group in optimizer.param_groups:
            optimizer.check(group)
        _check_state(optimizer)
    except CheckpointError:
        raise
    except (ArithmeticError, AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        found = f"not usable ({type(error).__name__}: {error})"
        raise CheckpointError("restore", "the optimizer's state", found, f"that of {name}") from error


def _check_state(optimizer: Optimizer) -> None:
    """Refuse a state in which an array or a number of some parameter is missing or of another kind."""
    index = 0
    for group in optimizer.param_groups:
        wanted = {key: hasattr(value, "shape") for key, value in _first_state(optimizer, group).items()}
        for parameter in group["params"]:
            entry = optimizer.state.get(parameter, {})
            kinds = {key: hasattr(value, "shape") for key, value in entry.items()}
            unfit = [key for key in entry if not kinds[key] and not is_number(entry[key], 0, 2**53)]
            if unfit or kinds not in ({}, wanted):
                where, found = f"the optimizer's state of parameter {index}", sorted(unfit or entry)
                raise CheckpointError("restore", where, found, f"{sorted(wanted)}, numbers >= 0 and arrays")
            index += 1


def _first_state(optimizer: Optimizer, group: dict[str, Any]) -> dict[str, Any]:
    """What the optimiser remembers of a parameter after one step, tried with a parameter of its own."""
    parameter = Tensor(np.zeros(1, np.float32))
    parameter.grad = Tensor(np.zeros(1, np.float32))
    with no_grad():
        optimizer.update_group([parameter], group)
    return optimizer.state.pop(parameter, {})


def _read_json(path: Path) -> dict[str, Any]:
    """The fields of a checkpoint's JSON file, checked."""
    try:
        described = unsigned(read_json(path, MAX_JSON_BYTES, f"a {FORMAT}"))
        if described.pop("format") != FORMAT or described.pop("version") != VERSION:
            raise ValueError("another format or version")
        described.pop("tinyconv")
        described = {"callbacks": {}, "versions": {}} | described
        wanted = {f.name: str if f.name == "model_name" else dict for f in dataclasses.fields(Checkpoint)}
        wanted["numbers"] = wanted.pop("tensors")
        unfit = described.keys() ^ wanted.keys() or {
            key for key, kind in wanted.items() if not isinstance(described[key], kind)
        }
        if unfit or not {"file", "sha256"} <= described["numbers"].keys():
            raise ValueError(f"missing, unknown or unfit: {', '.join(sorted(unfit or {'numbers'}))}")
    except TinyconvError:
        raise
    except Exception as error:
        reason = f"damaged ({type(error).__name__}: {error})"
        raise CheckpointError("load", repr(str(path)), reason, f"a {FORMAT} of version {VERSION}") from error
    return described


def _rename(before: Path, after: Path) -> None:
    try:
        os.replace(before, after)
    except OSError as error:
        raise storage_error(after, error) from error


def _below(prefix: str, tensors: dict[str, Array]) -> dict[str, Array]:
    return {name[len(prefix) :]: array for name, array in tensors.items() if name.startswith(prefix)}


def _sha256(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _remove_others(folder: Path, name: str, kept: Path) -> None:
    """Remove the numbers of earlier checkpoints of this name."""
    earlier = re.compile(re.escape(name) + r"-[0-9a-f]{12}\.safetensors")
    for file in folder.glob(f"{name}-*.safetensors"):
        if file != kept and earlier.fullmatch(file.name):
            with contextlib.suppress(OSError):
                file.unlink()
