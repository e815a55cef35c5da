"""What ``tinyconv train unet --data nuclei`` means: the data, the defaults, the checks."""

from __future__ import annotations

import dataclasses
import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tinyconv.data import NucleiFolder, SegmentationData, SyntheticNuclei, split
from tinyconv.data.bad_images import check_choice, describe_bad, leave_out_bad
from tinyconv.data.datasets.kaggle import STAINS
from tinyconv.errors import ArgumentError, CheckpointError, DataError
from tinyconv.train.fields import is_number
from tinyconv.train.step_options import StepOptions, with_step_options

ALIASES = {"unet": "unet_slides"}
SYNTHETIC, NUCLEI = "synthetic", "nuclei"
DATA_VARIABLE = "TINYCONV_DATA"
DATA_FOLDER = "data/dsb2018"
SOURCE = "https://data.broadinstitute.org/bbbc/BBBC038/stage1_train.zip"
MULTIPLE = 16


@dataclass
class Config(StepOptions):
    """All that a run depends on; kept as config.json in its folder.

    Attributes
    ----------
    model : str
        A name of `models.list`.
    data : str
        ``synthetic``, or the folder of the images.
    label : str
        What the run's folder is named after.
    stain : str
        ``all`` or ``fluorescence``; for folders.
    images : int
        How many images there are, held-out ones included.
    size : int
        Height and width of the crops that are trained on.
    epochs, steps, minutes
        Training stops at the first of these. With `minutes` the learning rate follows the clock, so
        that no two runs are alike to the last bit; without, they are.
    batch_size, lr, held_out, seed, validate_every
        See ``tinyconv train --help``.
    max_held_out : int, optional
        At most so many of the held-out images are looked at.
    on_bad_image : str
        ``stop`` or ``skip``.
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

    @classmethod
    def from_json(cls, where: str, fields: Any) -> Config:
        """The inverse of `vars`, for a file that may have been edited."""
        wanted = {field.name for field in dataclasses.fields(cls)}
        if isinstance(fields, dict):
            fields = {
                "on_bad_image": "stop",
                **with_step_options(fields),
            }  # runs of earlier versions do not say it
        if not isinstance(fields, dict) or fields.keys() != wanted:
            found = sorted(fields) if isinstance(fields, dict) else type(fields).__name__
            raise CheckpointError(where, "the fields", found, f"{sorted(wanted)}")
        for name in ("model", "data", "label", "stain"):
            if not isinstance(fields[name], str):
                raise CheckpointError(where, name, repr(fields[name]), "a text")
        config = cls(**fields)
        try:
            check(config)
        except ArgumentError as error:
            raise CheckpointError(where, error.argument, error.value, error.expected) from error
        return config


SYNTHETIC_DEFAULTS: dict[str, Any] = {"size": 128, "epochs": 24, "images": 60, "validate_every": 2}
FOLDER_DEFAULTS: dict[str, Any] = {"size": 256, "epochs": 40, "images": 0, "validate_every": 2}
COMMON_DEFAULTS: dict[str, Any] = {
    "steps": None,
    "minutes": None,
    "batch_size": 4,
    "lr": 2e-3,
    "held_out": 0.2,
    "seed": 0,
    "max_held_out": None,
}
APPLIES_TO = {
    "images": (SYNTHETIC,),
    "data_dir": (NUCLEI,),
    "stain": (NUCLEI, "FOLDER"),
    "on_bad_image": (NUCLEI, "FOLDER"),
}
QUICK: dict[str, Any] = {"size": 64, "steps": 12, "max_held_out": 4}
QUICK_SYNTHETIC: dict[str, Any] = {**QUICK, "images": 16}


def make_config(model: str, data: str, data_dir: str | None, quick: bool, **given: Any) -> Config:
    """Fill the options that were not given (None) with what suits the data.

    Parameters
    ----------
    model : str
        ``unet``, or a name of `models.list`.
    data : str
        ``synthetic``, ``nuclei`` or a folder.
    data_dir : str, optional
        Where ``nuclei`` is.
    quick : bool
        A few steps on small crops, to see that everything works.
    **given
        Fields of `Config`.
    """
    _refuse_unfit(data, {"data_dir": data_dir, **given})
    name = ALIASES.get(model, model)
    synthetic = data == SYNTHETIC
    options = {**COMMON_DEFAULTS, **(SYNTHETIC_DEFAULTS if synthetic else FOLDER_DEFAULTS)}
    if quick:
        options |= QUICK_SYNTHETIC if synthetic else QUICK
    folder = _find_folder(data, data_dir)
    options |= {
        "model": name,
        "data": SYNTHETIC if folder is None else str(folder.resolve()),
        "label": data if data in (SYNTHETIC, NUCLEI) else (Path(data).resolve().name or "data"),
        "stain": "fluorescence" if data == NUCLEI else "all",
    }
    config = Config(**{**options, **{key: value for key, value in given.items() if value is not None}})
    check(config)
    return config


def _refuse_unfit(data: str, given: dict[str, Any]) -> None:
    """Raise `ArgumentError` at an option that means nothing for these data."""
    for name, kinds in APPLIES_TO.items():
        kind = data if data in (SYNTHETIC, NUCLEI) else "FOLDER"
        if given.get(name) is not None and kind not in kinds:
            option, found = "--" + name.replace("_", "-"), f"{given[name]}, next to --data {data}"
            raise ArgumentError("train", option, found, f"it with --data {' or '.join(kinds)} only")


def check(config: Config) -> None:
    """Raise `ArgumentError` at the first option that makes no sense."""
    if config.model not in ALIASES.values():
        raise ArgumentError("train", "MODEL", repr(config.model), " or ".join(ALIASES))
    _require(config, "size", MULTIPLE, 2**14, whole=True)
    if config.size % MULTIPLE:
        raise ArgumentError("train", "size", config.size, f"a multiple of {MULTIPLE}")
    _require(config, "batch_size", 1, 2**16, whole=True)
    _require(config, "epochs", 1, 2**31, whole=True)
    _require(config, "validate_every", 1, 2**31, whole=True)
    _require(config, "seed", 0, 2**64 - 1, whole=True)
    _require(config, "images", 2 if config.data == SYNTHETIC else 0, 2**31, whole=True)
    if config.steps is not None:
        _require(config, "steps", 1, 2**31, whole=True)
    if config.max_held_out is not None:
        _require(config, "max_held_out", 1, 2**31, whole=True)
    if config.minutes is not None:
        _require(config, "minutes", 1e-3, 1e6)
    _require(config, "lr", 1e-12, 1e3)
    _require(config, "held_out", 1e-9, 1 - 1e-9)
    check_choice(config.on_bad_image)
    config.check_steps()
    if config.stain not in STAINS:
        raise ArgumentError("train", "stain", repr(config.stain), " or ".join(STAINS))


def _require(config: Config, name: str, low: float, high: float, whole: bool = False) -> None:
    value = getattr(config, name)
    if not is_number(value, low, high, whole):
        kind = "a whole number" if whole else "a number"
        raise ArgumentError("train", name, repr(value), f"{kind} from {low:g} to {high:g}")


def _find_folder(data: str, data_dir: str | None) -> Path | None:
    """The folder of the images; None for synthetic ones."""
    if data == SYNTHETIC:
        return None
    if data != NUCLEI:
        return _checked(data)
    folder = Path(data_dir or os.environ.get(DATA_VARIABLE) or DATA_FOLDER)
    if not os.path.isdir(folder):
        expected = (
            f"the nuclei of the 2018 Data Science Bowl: unpack {SOURCE} into {DATA_FOLDER}/stage1_train, "
            f"or say where they are with --data-dir or {DATA_VARIABLE}; --data synthetic needs no download"
        )
        raise DataError("train", "the folder of the nuclei", f"{str(folder)!r}, which is not there", expected)
    return folder


def _checked(data: str) -> Path:
    if not os.path.isdir(data):  # Path.is_dir raises OSError where a name is too long
        expected = f"{SYNTHETIC}, {NUCLEI}, or a folder of <id>/images/*.png and <id>/masks/*.png"
        raise DataError("train", "--data", repr(data), expected)
    return Path(data)


def open_data(config: Config) -> tuple[SegmentationData, SegmentationData]:
    """The images to train on and the held-out ones, split by image.

    The held-out ones are decoded here: a file that cannot be is to be found now, not at the first
    validation, after epochs of training.

    Raises
    ------
    DataError
        If the images cannot be used, or are not as many as when the run began.
    """
    if config.data == SYNTHETIC:
        made = SyntheticNuclei(config.images, 2 * config.size, config.seed)
        dataset: Any = list(made)  # drawn once, not anew in each epoch
    else:
        dataset = _open_folder(config)
        if config.images not in (0, len(dataset)):
            expected = f"the {config.images} that the run began with"
            raise DataError("resume", repr(config.data), f"{len(dataset)} images", expected)
        config.images = len(dataset)
    training, held_out = split(dataset, config.held_out, config.seed)
    if config.max_held_out is not None:
        held_out.indices = held_out.indices[: config.max_held_out]
    whole = SegmentationData.held_out(held_out)
    for index in range(len(whole)):
        whole[index]
    return SegmentationData.training(training, config.size, seed=config.seed), whole


def _open_folder(config: Config) -> Any:
    """The images of a folder; with ``skip`` all are decoded now, and the bad ones left out and named."""
    skip = config.on_bad_image == "skip"
    found = NucleiFolder(_checked(config.data), config.stain, on_bad_image=config.on_bad_image)
    usable, errors = leave_out_bad(found) if skip else (found, [])
    for line in describe_bad(found.errors + errors, len(found) + len(found.errors)):
        print(line)
    return usable


def describe(config: Config, training: int, held_out: int) -> str:
    """One line that says what is trained on what."""
    synthetic = config.data == SYNTHETIC
    what = "made images" if synthetic else f"images of {config.data} (stain: {config.stain})"
    planned = config.epochs * math.ceil(math.ceil(training / config.batch_size) / config.accumulate)
    length = f"{planned if config.steps is None else min(config.steps, planned)} steps"
    if config.minutes is not None:
        length += f" or {config.minutes:g} minutes"
    return (
        f"{config.model} on {training} {what}, {held_out} held out, "
        f"crops of {config.size} x {config.size}, batches of {config.batch_size}, at most {length}"
    )
