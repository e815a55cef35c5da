"""The options of a run that trains a segmentation, kept as config.json in its folder."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tinyconv.data.bad_images import check_choice
from tinyconv.data.datasets.kaggle import STAINS
from tinyconv.errors import ArgumentError, CheckpointError
from tinyconv.train.fields import is_number
from tinyconv.train.mask_loss import LOSSES, UNWEIGHTED
from tinyconv.train.mask_sources import BRAIN, KAGGLE, LAYOUTS, MADE, SYNTHETIC
from tinyconv.train.step_options import StepOptions, with_step_options


@dataclass
class Config(StepOptions):
    """All that a run depends on.

    Attributes
    ----------
    model, model_options
        What `models.create` makes the network from.
    data : str
        The name of made images or of ``mni``, or the folder of the images.
    label : str
        What the run's folder is named after.
    stain : str
        ``all`` or ``fluorescence``; for folders of nuclei.
    images : int
        How many images there are, held-out ones included.
    size : int
        Height and width of the crops that are trained on.
    depth : int
        Slices of such a crop, for networks that take volumes.
    patches : int
        How many crops of a volume an epoch has, for networks that take volumes.
    epochs, steps, minutes
        Training stops at the first of these. The minutes count from the end of the first step. With them
        the learning rate follows the clock, so that no two runs are alike to the last bit; without, they
        are.
    batch_size, lr, held_out, seed, validate_every
        See ``tinyconv train --help``.
    max_held_out : int, optional
        At most so many of the held-out images are looked at.
    on_bad_image : str
        ``stop`` or ``skip``.
    layout : str
        One of `mask_sources.LAYOUTS`: how the images and masks are found.
    names : list of str
        Of the masks; or of the classes, the first of which is the background.
    exclusive : bool
        Whether a pixel belongs to one class only; else each name has a mask of its own.
    volumes : bool
        Whether the data are volumes.
    channels : int
        Of what the network is given.
    dims, multiple : int
        2 if the network is given images or slices, 3 for volumes; what their sides are divisible by.
    loss : str
        One of `mask_loss.LOSSES`.
    border : float, optional
        What background between objects that nearly touch counts more, see `data.border_weights`.
    """

    model: str
    data: str
    label: str
    stain: str
    images: int
    size: int
    epochs: int
    steps: int | None
    minutes: float | None
    batch_size: int
    lr: float
    held_out: float
    seed: int
    validate_every: int
    max_held_out: int | None = None
    on_bad_image: str = "stop"
    model_options: dict[str, Any] = field(default_factory=dict)
    layout: str = ""
    names: list[str] = field(default_factory=lambda: ["nuclei"])
    exclusive: bool = False
    volumes: bool = False
    channels: int = 3
    dims: int = 2
    multiple: int = 16
    depth: int = 16
    patches: int = 8
    loss: str = LOSSES[False][0]
    border: float | None = None

    def __post_init__(self) -> None:
        if not self.layout:  # of a run that began before there were others
            self.layout = SYNTHETIC if self.data == SYNTHETIC else KAGGLE

    @classmethod
    def from_json(cls, where: str, fields: Any) -> Config:
        """The inverse of `vars`, for a file that may have been edited."""
        wanted = {entry.name: entry for entry in dataclasses.fields(cls)}
        if isinstance(fields, dict):
            fields = _with_defaults(with_step_options(fields))
        if not isinstance(fields, dict) or fields.keys() != wanted.keys():
            found = sorted(fields) if isinstance(fields, dict) else type(fields).__name__
            raise CheckpointError(where, "the fields", found, f"{sorted(wanted)}")
        for name in ("model", "data", "label", "stain", "layout", "loss"):
            if not isinstance(fields[name], str):
                raise CheckpointError(where, name, repr(fields[name]), "a text")
        config = cls(**fields)
        try:
            check(config)
        except ArgumentError as error:
            raise CheckpointError(where, error.argument, error.value, error.expected) from error
        return config

    @property
    def shape(self) -> tuple[int, ...]:
        """The sides of the crops that are trained on."""
        return (self.size, self.size) if self.dims == 2 else (self.depth, self.size, self.size)


def _with_defaults(fields: dict[str, Any]) -> dict[str, Any]:
    """The fields with those that runs of earlier versions do not say."""
    since = {
        "on_bad_image", "model_options", "layout", "names", "exclusive", "volumes",
        "channels", "dims", "multiple", "depth", "patches", "loss", "border",
    }  # fmt: skip
    defaults: dict[str, Any] = {}
    for entry in dataclasses.fields(Config):
        if entry.name in since:
            made = entry.default_factory
            defaults[entry.name] = entry.default if made is dataclasses.MISSING else made()
    return defaults | fields


NUMBERS: dict[str, tuple[float, float, bool]] = {
    "batch_size": (1, 2**16, True),
    "epochs": (1, 2**31, True),
    "validate_every": (1, 2**31, True),
    "patches": (1, 2**20, True),
    "seed": (0, 2**64 - 1, True),
    "steps": (1, 2**31, True),
    "max_held_out": (1, 2**31, True),
    "minutes": (1e-3, 1e6, False),
    "lr": (1e-12, 1e3, False),
    "held_out": (1e-9, 1 - 1e-9, False),
}
"""The least and the most of options that do not depend on the images, and whether they are whole."""
MAY_BE_NONE = ("steps", "max_held_out", "minutes")


def check(config: Config) -> None:
    """Raise `ArgumentError` at the first option that makes no sense."""
    _refuse_unless(config, "multiple", is_number(config.multiple, 1, 2**12, True), "a whole number from 1")
    _require(config, "size", config.multiple, 2**14, whole=True)
    if config.size % config.multiple:
        raise ArgumentError("train", "size", config.size, f"a multiple of {config.multiple}")
    _require(config, "depth", config.multiple if config.dims == 3 else 1, 2**12, whole=True)
    if config.dims == 3 and config.depth % config.multiple:
        raise ArgumentError("train", "depth", config.depth, f"a multiple of {config.multiple}")
    check_numbers(vars(config))
    _require(config, "channels", 1, 2**16, whole=True)
    _require(config, "images", 2 if config.layout in MADE else 0, 2**31, whole=True)
    check_choice(config.on_bad_image)
    config.check_steps()
    _refuse_unless(config, "stain", config.stain in STAINS, " or ".join(STAINS))
    _refuse_unless(config, "layout", config.layout in LAYOUTS, " or ".join(LAYOUTS))
    if config.data != config.layout:
        named = {config.data, config.layout}.isdisjoint((*MADE, BRAIN))
        _refuse_unless(config, "layout", named, f"that of the data, which are {config.data!r}")
    _check_kind(config)


def _check_kind(config: Config) -> None:
    """What the images and the network are."""
    for name in ("exclusive", "volumes"):
        _refuse_unless(config, name, isinstance(getattr(config, name), bool), "true or false")
    _refuse_unless(config, "dims", is_number(config.dims, 2, 2 + config.volumes, True), "2, or 3 for volumes")
    names = isinstance(config.names, list) and all(isinstance(name, str) for name in config.names)
    least = 2 if config.exclusive else 1
    _refuse_unless(config, "names", names and len(config.names) >= least, f"{least} names or more")
    options = isinstance(config.model_options, dict) and all(isinstance(k, str) for k in config.model_options)
    _refuse_unless(config, "model_options", options, "options by name")
    fitting = LOSSES[config.exclusive]
    what = "classes that exclude each other" if config.exclusive else "masks of their own"
    _refuse_unless(config, "loss", config.loss in fitting, f"for {what} {', '.join(fitting)}")
    weights = not isinstance(config.class_weights, list) or len(config.class_weights) == len(config.names)
    _refuse_unless(config, "class_weights", weights, f"{len(config.names)} numbers, for {config.names}")
    weighted = config.loss not in UNWEIGHTED or config.class_weights is None
    _refuse_unless(config, "class_weights", weighted, f"none next to --loss {config.loss}")
    if config.border is not None:
        _require(config, "border", 0, 1e6)
        fits = len(config.names) == 1 and not config.volumes and "bce" in config.loss
        _refuse_unless(config, "border", fits, "it for one kind of object in images, and bce in the loss")


def check_numbers(fields: Mapping[str, Any]) -> None:
    """Raise `ArgumentError` at the first of `NUMBERS` that is out of range; no image is needed for that."""
    for name, (low, high, whole) in NUMBERS.items():
        if name in fields and not (name in MAY_BE_NONE and fields[name] is None):
            _require_number(name, fields[name], low, high, whole)


def _require(config: Config, name: str, low: float, high: float, whole: bool = False) -> None:
    _require_number(name, getattr(config, name), low, high, whole)


def _require_number(name: str, value: Any, low: float, high: float, whole: bool) -> None:
    if not is_number(value, low, high, whole):
        kind = "a whole number" if whole else "a number"
        raise ArgumentError("train", name, repr(value), f"{kind} from {low:g} to {high:g}")


def _refuse_unless(config: Config, name: str, fits: bool, expected: str) -> None:
    if not fits:
        raise ArgumentError("train", name, repr(getattr(config, name)), expected)
