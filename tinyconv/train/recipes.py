"""What ``tinyconv train unet --data nuclei`` means: the data, the defaults, the checks."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tinyconv.data import (
    Compose,
    Kept,
    Normalized,
    RandomCrop,
    RandomFlip,
    RandomIntensity,
    Repeated,
    SegmentationData,
    Slices,
    split,
)
from tinyconv.errors import ArgumentError, DataError
from tinyconv.train.mask_config import Config, check, check_numbers
from tinyconv.train.mask_loss import LOSSES, NEEDS_SCORES
from tinyconv.train.mask_sources import (
    BRAIN,
    HEARTS,
    KAGGLE,
    MADE,
    NAMES,
    NIFTI,
    NUCLEI,
    ORGANS,
    PAIRS,
    SYNTHETIC,
    VESSELS,
    find_folder,
    find_kind,
    open_source,
)
from tinyconv.train.mask_weights import WithBorders, find_weights
from tinyconv.train.step_options import (
    AUTO,
    defaults_by_the_clock,
    describe_length,
    read_numbers,
    read_weights,
)
from tinyconv.train.waiting import waiting

Fit = Callable[..., tuple[dict[str, Any], int, int]]

ALIASES = {"unet": "unet_slides", "unet2015": "unet"}
"""What `tinyconv train` calls networks, by names of `models.list`."""

COMMON_DEFAULTS: dict[str, Any] = {
    "steps": None,
    "minutes": None,
    "batch_size": 4,
    "lr": 2e-3,
    "held_out": 0.2,
    "seed": 0,
    "max_held_out": None,
    "validate_every": 2,
    "images": 0,
}
DEFAULTS: dict[str, dict[str, Any]] = {
    SYNTHETIC: {"size": 128, "epochs": 24, "images": 60},
    KAGGLE: {"size": 256, "epochs": 40},
    PAIRS: {"size": 256, "epochs": 40},
    VESSELS: {"size": 128, "epochs": 24, "images": 60},
    HEARTS: {"size": 64, "epochs": 6, "images": 24, "batch_size": 8},
    ORGANS: {"size": 64, "epochs": 8, "images": 16, "batch_size": 8},
    NIFTI: {"size": 128, "epochs": 40, "batch_size": 8},
    BRAIN: {"size": 128, "epochs": 24, "batch_size": 8, "validate_every": 6},
}
VOLUMES: dict[str, dict[str, Any]] = {
    HEARTS: {"batch_size": 2, "patches": 4, "depth": 16},
    ORGANS: {"batch_size": 2, "patches": 4, "depth": 32},
    NIFTI: {"size": 64, "batch_size": 2, "patches": 8, "depth": 32},
    BRAIN: {"size": 64, "batch_size": 2, "patches": 32, "depth": 32, "epochs": 8, "validate_every": 2},
}
"""Of networks that are given volumes."""

APPLIES_TO = {
    "images": MADE,
    "data_dir": (NUCLEI,),
    "stain": (NUCLEI, "FOLDER"),
    "on_bad_image": (NUCLEI, "FOLDER"),
    "classes": ("FOLDER",),
    "held_out": (*MADE, NUCLEI, "FOLDER"),
}
FOR_VOLUMES = ("depth", "patches")
MODEL_OPTIONS = ("widths", "width", "dims")
QUICK: dict[str, Any] = {"size": 64, "steps": 12, "max_held_out": 4}
QUICK_IMAGES = {SYNTHETIC: 16, VESSELS: 12, HEARTS: 4, ORGANS: 4}


def make_config(model: str, data: str, data_dir: str | None, quick: bool, fit: Fit, **given: Any) -> Config:
    """Fill the options that were not given (None) with what suits the data and the network.

    Parameters
    ----------
    model : str
        ``unet``, or a name of `models.list`.
    data : str
        One of `mask_sources.NAMES`, or a folder.
    data_dir : str, optional
        Where ``nuclei`` is.
    quick : bool
        A few steps on small crops, to see that everything works.
    fit : callable
        `models.fit_segmenter`.
    **given
        Fields of `Config`; ``classes`` of a folder's masks; ``widths``, ``width``, ``dims`` of the network.
    """
    _refuse_unfit(data, {"data_dir": data_dir, **given})
    given = {key: value for key, value in given.items() if value is not None}
    check_numbers(given)  # before images are read
    name = ALIASES.get(model, model)
    layout, folder = find_folder(data, data_dir)
    skip = given.get("on_bad_image") == "skip"
    kind = find_kind(layout, folder, _classes(given.pop("classes", None)), skip)
    loss = given.setdefault("loss", LOSSES[kind.exclusive][0])
    given["class_weights"] = read_weights(given.get("class_weights"))
    wanted = {key: given.pop(key) for key in MODEL_OPTIONS if key in given}
    if "widths" in wanted:
        wanted["widths"] = read_numbers("widths", wanted["widths"])
    scores = kind.exclusive or loss in NEEDS_SCORES
    model_options, dims, multiple = fit(name, kind.volumes, kind.channels, len(kind.names), scores, wanted)
    options = {**COMMON_DEFAULTS, **DEFAULTS[layout], **(VOLUMES[layout] if dims == 3 else {})}
    if quick:
        options |= QUICK | ({"images": QUICK_IMAGES[layout]} if layout in QUICK_IMAGES else {})
    options |= defaults_by_the_clock({**options, "epochs": None, **given})
    options |= {key: _up(options[key], multiple) for key in ("size", "depth") if key in options}
    if dims == 2:
        for key in FOR_VOLUMES:
            if key in given:
                expected = "it with a network that takes volumes only, such as unet3d_bn"
                raise ArgumentError("train", f"--{key}", f"{given[key]}, next to {model}", expected)
    options |= {
        "model": name,
        "data": layout if folder is None else str(folder.resolve()),
        "label": data if data in NAMES else (Path(data).resolve().name or "data"),
        "stain": "fluorescence" if data == NUCLEI else "all",
        **{"layout": layout, "names": list(kind.names), "exclusive": kind.exclusive},
        **{"volumes": kind.volumes, "channels": kind.channels, "dims": dims, "multiple": multiple},
        "model_options": {
            key: list(value) if isinstance(value, tuple) else value for key, value in model_options.items()
        },
    }
    config = Config(**{**options, **given})
    check(config)
    return config


def _refuse_unfit(data: str, given: dict[str, Any]) -> None:
    """Raise `ArgumentError` at an option that means nothing for these data."""
    for name, kinds in APPLIES_TO.items():
        kind = data if data in NAMES else "FOLDER"
        if given.get(name) is not None and kind not in kinds:
            option, found = "--" + name.replace("_", "-"), f"{given[name]}, next to --data {data}"
            raise ArgumentError("train", option, found, f"it with --data {' or '.join(kinds)} only")


def _classes(value: Any) -> int | None:
    if value is not None and (isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 256):
        raise ArgumentError("train", "classes", repr(value), "a whole number from 1 to 256")
    return value


def _up(size: int, multiple: int) -> int:
    return -(-size // multiple) * multiple


def open_data(config: Config) -> tuple[SegmentationData, SegmentationData]:
    """What is trained on, crops of images, slices or volumes, and the whole images that are held out.

    The held-out ones are decoded here: a file that cannot be is to be found now, not at the first
    validation, after epochs of training.

    Raises
    ------
    DataError
        If the images cannot be used, or are not as many as when the run began.
    """
    dataset, held_out = open_source(config)
    if config.layout in MADE:
        dataset = Kept(dataset)  # drawn once, not anew in each epoch
    if config.images not in (0, len(dataset)):
        expected = f"the {config.images} that the run began with"
        raise DataError("resume", repr(config.data), f"{len(dataset)} images", expected)
    config.images = len(dataset)
    training: Any = dataset
    if held_out is None:
        training, held_out = split(dataset, config.held_out, config.seed)
        held_out.indices = held_out.indices[: config.max_held_out]
    if config.class_weights == AUTO:
        config.class_weights = find_weights(training, config.names, config.exclusive)
    whole = SegmentationData.held_out(Kept(held_out) if config.volumes else held_out, config.channels)
    for index in waiting(range(len(whole)), "reading what is held out"):
        whole[index]
    if config.volumes:
        return _crops_of_volumes(training, config), whole
    if config.border is not None:
        training = WithBorders(training, config.border)
    return SegmentationData.training(training, config.size, config.channels, config.seed), whole


def _crops_of_volumes(volumes: Any, config: Config) -> SegmentationData:
    """Slices, or patches, of volumes; each volume is normalised as a whole."""
    ready = Kept(Normalized(volumes))
    items: Any = Repeated(ready, config.patches)
    if config.dims == 2:
        items = Slices(ready, [ready[i][0].shape[1] for i in waiting(range(len(ready)), "reading volumes")])
    steps = Compose([RandomCrop(config.shape), RandomFlip(axes=(-1,)), RandomIntensity()])
    return SegmentationData(items, steps, config.channels, config.seed)


def describe(config: Config, training: int, held_out: int) -> str:
    """One line that says what is trained on what."""
    if config.layout in MADE:
        what = "made images" if config.layout == SYNTHETIC else f"made {config.layout}"
    else:
        what = f"images of {config.data}" + (f" (stain: {config.stain})" if config.layout == KAGGLE else "")
    if config.volumes:
        what = f"{'slices' if config.dims == 2 else 'crops an epoch'} of {config.label}"
    planned = config.epochs * math.ceil(math.ceil(training / config.batch_size) / config.accumulate)
    return (
        f"{config.model} on {training} {what}, {held_out}{' volumes' if config.volumes else ''} held out, "
        f"crops of {' x '.join(map(str, config.shape))}, batches of {config.batch_size}, "
        f"at most {describe_length(planned, config)}"
    )
