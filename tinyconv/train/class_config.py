"""The options of a run that trains a classifier, kept as config.json in its folder."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from tinyconv.data.bad_images import CHOICES
from tinyconv.errors import ArgumentError, CheckpointError
from tinyconv.train.fields import is_number
from tinyconv.train.step_options import StepOptions, with_step_options

TASK = "classification"


@dataclass
class ClassConfig(StepOptions):
    """All that a run depends on.

    Attributes
    ----------
    model, model_options
        What `models.create` makes the network from.
    data, folder, label : str
        ``digits``, ``mnist``, ``fashion_mnist``, ``cifar10`` or ``folder``; where it is; what the run's
        folder is named after.
    classes : list of str
        The names of the labels.
    shape : list of int
        Channels, height and width of what the network is given.
    mean, std : list of float
        Of the training images' channels.
    shift : int
        Pixels that training images are moved by at most.
    flip : bool
        Whether half of them are mirrored.
    balanced : bool
        Whether rare classes are drawn as often as common ones.
    images, there : int
        How many images are trained on and held out together, and how many there are.
    on_bad_image : str
        ``stop`` or ``skip``.
    epochs, steps, minutes, batch_size, lr, held_out, seed, validate_every
        See ``tinyconv train --help``.
    """

    model: str
    data: str
    folder: str
    label: str
    classes: list[str]
    shape: list[int]
    images: int
    there: int
    epochs: int = 10
    batch_size: int = 64
    lr: float = 2e-3
    held_out: float = 0.1
    seed: int = 0
    validate_every: int = 1
    shift: int = 0
    flip: bool = False
    balanced: bool = False
    on_bad_image: str = "stop"
    steps: int | None = None
    minutes: float | None = None
    mean: list[float] = field(default_factory=lambda: [0.0])
    std: list[float] = field(default_factory=lambda: [1.0])
    model_options: dict[str, Any] = field(default_factory=dict)
    task: str = TASK

    WHOLE: ClassVar[dict[str, tuple[int, int]]] = {
        **{
            "images": (2, 2**31),
            "there": (2, 2**31),
            "epochs": (1, 2**31),
            "batch_size": (1, 2**16),
            "seed": (0, 2**64 - 1),
        },
        **{"validate_every": (1, 2**31), "shift": (0, 2**14), "steps": (1, 2**31)},
    }
    REAL: ClassVar[dict[str, tuple[float, float]]] = {
        **{"lr": (1e-12, 1e3), "held_out": (1e-9, 1 - 1e-9), "minutes": (1e-3, 1e6)}
    }

    @classmethod
    def from_json(cls, where: str, fields: Any) -> ClassConfig:
        """The inverse of `vars`, for a file that may have been edited."""
        wanted = {entry.name for entry in dataclasses.fields(cls)}
        if isinstance(fields, dict):
            fields = with_step_options(fields)
        if not isinstance(fields, dict) or fields.keys() != wanted:
            found = sorted(fields) if isinstance(fields, dict) else type(fields).__name__
            raise CheckpointError(where, "the fields", found, f"{sorted(wanted)}")
        config = cls(**fields)
        try:
            config.check()
        except ArgumentError as error:
            raise CheckpointError(where, error.argument, error.value, error.expected) from error
        return config

    def check(self) -> None:
        """Raise `ArgumentError` at the first option that makes no sense."""
        for name in ("model", "data", "folder", "label"):
            self._require(name, isinstance(getattr(self, name), str), "a text")
        self.check_numbers(vars(self))
        for name in ("flip", "balanced"):
            self._require(name, isinstance(getattr(self, name), bool), "true or false")
        self.check_steps()
        self._require("on_bad_image", self.on_bad_image in CHOICES, " or ".join(CHOICES))
        task = type(self).task
        self._require("task", self.task == task, task)
        named = _is_list(self.classes, lambda value: isinstance(value, str)) and len(self.classes) >= 2
        self._require("classes", named, "at least two names")
        weights = not isinstance(self.class_weights, list) or len(self.class_weights) == len(self.classes)
        self._require("class_weights", weights, f"{len(self.classes)} numbers, one for each class")
        sized = _is_list(self.shape, lambda value: is_number(value, 1, 2**14, True)) and len(self.shape) == 3
        self._require("shape", sized, "channels, height and width")
        for name in ("mean", "std"):
            numbers = _is_list(getattr(self, name), lambda value: is_number(value, -1e6, 1e6))
            self._require(
                name, numbers and len(getattr(self, name)) in (1, self.shape[0]), "a number a channel"
            )
        self._require("std", min(self.std) > 0, "numbers above 0")
        self._require("shift", self.shift < min(self.shape[1:]), "less than the size of the images")
        options = isinstance(self.model_options, dict) and all(isinstance(k, str) for k in self.model_options)
        self._require("model_options", options, "options by name")

    @classmethod
    def check_numbers(cls, fields: Mapping[str, Any]) -> None:
        """Raise `ArgumentError` at the first number out of range; no image is needed for that."""
        for name, (low, high) in {**cls.WHOLE, **cls.REAL}.items():
            optional = name in ("steps", "minutes") and fields.get(name) is None
            whole = name in cls.WHOLE
            if name in fields and not (optional or is_number(fields[name], low, high, whole)):
                kind = "a whole number" if whole else "a number"
                raise ArgumentError("train", name, repr(fields[name]), f"{kind} from {low:g} to {high:g}")


def _is_list(value: Any, test: Any) -> bool:
    return isinstance(value, list) and len(value) > 0 and all(test(entry) for entry in value)
