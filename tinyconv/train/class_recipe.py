"""What ``tinyconv train lenet5 --data mnist`` means: the data, the defaults, the checks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tinyconv.data import Subset, split
from tinyconv.data.bad_images import check_choice, describe_bad
from tinyconv.data.classification import ClassificationData, channel_statistics
from tinyconv.errors import ArgumentError, DataError
from tinyconv.train.class_config import ClassConfig
from tinyconv.train.class_sources import FOLDER, NAMES, Source, find_folder, open_source
from tinyconv.train.fields import is_number
from tinyconv.train.losses import class_weights
from tinyconv.train.step_options import AUTO, defaults_by_the_clock, describe_length, read_weights

Fit = Callable[[str, tuple[int, ...], int], tuple[dict[str, Any], tuple[int, ...]]]

DEFAULTS: dict[str, dict[str, Any]] = {
    "digits": {"epochs": 30, "batch_size": 32, "held_out": 0.2, "shift": 0},
    "mnist": {"epochs": 12, "batch_size": 64, "lr": 3e-3, "held_out": 1 / 12, "shift": 1},
    "fashion_mnist": {"epochs": 12, "batch_size": 64, "held_out": 1 / 12, "shift": 1, "flip": True},
    "cifar10": {"epochs": 20, "batch_size": 64, "held_out": 0.1, "shift": 3, "flip": True},
    FOLDER: {"epochs": 20, "batch_size": 32, "lr": 1e-3, "held_out": 0.2, "flip": True},
}
QUICK = {"steps": 12, "images": 200}


@dataclass
class Parts:
    """What is trained on, what is held out, and what is looked at only at the end (or None)."""

    training: ClassificationData
    held_out: ClassificationData
    test: ClassificationData | None


def make_config(
    model: str,
    data: str,
    data_dir: str | None,
    quick: bool,
    fit: Fit,
    kind: type[ClassConfig] = ClassConfig,
    **given: Any,
) -> ClassConfig:
    """Fill the options that were not given (None) with what suits the data and the network.

    Parameters
    ----------
    model : str
        A name of `models.list`.
    data : str
        A name of `class_sources.NAMES`, or a folder.
    data_dir : str, optional
        Where a named dataset is.
    quick : bool
        A few steps on a few images, to see that everything works.
    fit : callable
        `models.fit_classifier`.
    kind : type
        `ClassConfig`, or what is made of it.
    **given
        Fields of `kind`.
    """
    _refuse_unfit(data, data_dir, given)
    check_choice(given.get("on_bad_image") or "stop")
    name = data if data in NAMES else FOLDER
    wanted = {key: value for key, value in given.items() if value is not None}
    kind.check_numbers(wanted)  # before images are read
    standard = {**DEFAULTS[name], **(QUICK if quick else {})}
    by_the_clock = defaults_by_the_clock({**standard, "epochs": None, **wanted})
    options = {**standard, **by_the_clock, **wanted}
    options["class_weights"] = read_weights(options.get("class_weights"))
    folder = find_folder(data, data_dir)
    source = open_source(name, folder, options.get("on_bad_image", "stop"))
    for line in describe_bad(source.errors, len(source.training) + len(source.errors)):
        print(line)
    model_options, shape = fit(model, source.shape, len(source.classes))
    there = _count(source)
    images = options.get("images", there)
    if not is_number(images, 2, 2**31, whole=True):
        raise ArgumentError("train", "images", repr(images), "a whole number from 2")
    options["images"] = min(images, there)
    options.setdefault("shift", min(shape[1:]) // 16)
    if "mean" not in options:
        options["mean"], options["std"] = channel_statistics(source.training, shape[0])
    config = kind(
        model=model,
        data=name,
        folder=folder,
        label=data if data in NAMES else (Path(data).resolve().name or "data"),
        classes=list(source.classes),
        shape=list(shape),
        there=there,
        model_options=model_options,
        **options,
    )
    config.check()
    return config


def open_data(config: ClassConfig) -> Parts:
    """The images to train on, those held out, and those of the test.

    Raises
    ------
    DataError
        If the images cannot be used, or are not those of when the run began.
    """
    source = open_source(config.data, config.folder, config.on_bad_image)
    found = (_count(source), list(source.classes))
    if found != (config.there, config.classes):
        expected = f"the {config.there} images of {len(config.classes)} classes that the run began with"
        raise DataError("resume", repr(config.folder or config.data), f"{found[0]} images", expected)
    if source.held_out is None:
        training, held_out = split(_some(source.training, config.images), config.held_out, config.seed)
    else:
        share = len(source.training) / config.there
        training = _some(source.training, max(1, round(share * config.images)))
        held_out = _some(source.held_out, max(1, config.images - len(training)))
    if config.class_weights == AUTO:
        labels = [label_of(training, index) for index in range(len(training))]
        config.class_weights = class_weights(np.bincount(labels, minlength=len(config.classes))).tolist()
    ready: dict[str, Any] = {"shape": config.shape, "mean": config.mean, "std": config.std}
    return Parts(
        ClassificationData(training, shift=config.shift, flip=config.flip, seed=config.seed, **ready),
        ClassificationData(held_out, **ready),
        None if source.test is None else ClassificationData(source.test, **ready),
    )


def describe(config: ClassConfig, training: int, held_out: int) -> str:
    """One line that says what is trained on what."""
    size = " x ".join(map(str, config.shape))
    planned = config.epochs * -(-training // (config.batch_size * config.accumulate))
    return (
        f"{config.model} on {training} images of {config.label} ({size}, {len(config.classes)} classes), "
        f"{held_out} held out, batches of {config.batch_size}, at most {describe_length(planned, config)}"
    )


def _count(source: Source) -> int:
    return len(source.training) + (0 if source.held_out is None else len(source.held_out))


def _some(dataset: Any, count: int) -> Any:
    """`count` items, evenly spaced; all if there are no more."""
    if count >= len(dataset):
        return dataset
    return Subset(dataset, np.linspace(0, len(dataset) - 1, count).astype(int).tolist())


def _refuse_unfit(data: str, data_dir: str | None, given: dict[str, Any]) -> None:
    """Raise `ArgumentError` at an option that means nothing for these data."""
    unfit = {"data_dir": data_dir if data == "digits" or data not in NAMES else None}
    unfit["on_bad_image"] = given.get("on_bad_image") if data in NAMES else None
    for name, value in unfit.items():
        if value is not None:
            option = "--" + name.replace("_", "-")
            raise ArgumentError("train", option, f"{value}, next to --data {data}", "it with other data only")


def label_of(data: Any, index: int) -> int:
    """The label of an item, without reading its image where the dataset has `labels`."""
    while True:
        if hasattr(data, "labels"):
            return int(data.labels[index])
        if hasattr(data, "indices"):
            index = data.indices[index]
        if not hasattr(data, "dataset"):
            return int(data[index][1])
        data = data.dataset
