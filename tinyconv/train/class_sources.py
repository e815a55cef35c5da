"""Datasets of images with labels, by the name or the folder given to ``--data``."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tinyconv.data import CIFAR10, MNIST, Digits, FashionMNIST, ImageFolder
from tinyconv.data.bad_images import leave_out_bad
from tinyconv.data.catalogue import CATALOGUE, data_root
from tinyconv.data.datasets.image_folder import find_images
from tinyconv.errors import DataError

NAMES = ("digits", "mnist", "fashion_mnist", "cifar10")
FOLDER = "folder"
TRAINING, HELD_OUT, TEST = ("train", "training"), ("val", "valid", "validation"), ("test",)
"""Folders that divide a dataset."""

LOOKED_AT = 50


@dataclass
class Source:
    """A dataset as it is divided by those who made it.

    Attributes
    ----------
    training, held_out, test : Dataset
        The last two may be None.
    classes : tuple of str
    shape : (int, int, int)
        Of the images; height and width are 0 if they differ.
    errors : list of DataError
        The images that were left out.
    """

    training: Any
    held_out: Any
    test: Any
    classes: tuple[str, ...]
    shape: tuple[int, int, int]
    errors: list[DataError]


def is_labelled(data: str) -> bool:
    """Whether ``--data`` means images with labels: a name, or a folder with a folder for each class."""
    if data in NAMES:
        return True
    folder = Path(data)
    return os.path.isdir(folder) and _has_classes(_part(folder, TRAINING) or folder)


def find_folder(data: str, data_dir: str | None) -> str:
    """Where the images are; empty for those that come with a package.

    Raises
    ------
    DataError
        If they are not there; it says how to get them.
    """
    if data == "digits":
        return ""
    if data not in NAMES:
        return str(Path(data).resolve())
    entry = CATALOGUE[data]
    root = data_root(data_dir)
    for candidate in (root, entry.path(root), root / entry.folder):
        if _is_source(data, candidate):
            return str(candidate.resolve())
    expected = f"its files: get them with  tinyconv data get {data}  or say where they are with --data-dir"
    raise DataError(
        "train", f"the folder of {data}", f"{str(entry.path(root))!r}, which is not there", expected
    )


def open_source(data: str, folder: str, on_bad_image: str = "stop") -> Source:
    """Read the dataset; of a folder with ``skip`` every image is decoded now, and bad ones left out."""
    if data == "digits":
        return Source(Digits(), None, None, Digits.classes, (1, 8, 8), [])
    if data in NAMES:
        kind: Any = {"mnist": MNIST, "fashion_mnist": FashionMNIST, "cifar10": CIFAR10}[data]
        training, test = kind(folder), kind(folder, train=False)
        return Source(training, None, test, kind.classes, training[0][0].shape, [])
    root = Path(folder)
    places = [_part(root, names) for names in (TRAINING, HELD_OUT, TEST)]
    if places[0] is None:
        places = [root, None, None]
    parts = [None if place is None else ImageFolder(place) for place in places]
    _check_classes(parts)
    errors: list[DataError] = []
    usable: list[Any] = list(parts)
    if on_bad_image == "skip":
        for number, part in enumerate(parts):
            if part is not None:
                usable[number], found = leave_out_bad(part)
                errors += found
    assert parts[0] is not None
    training, held_out, test = usable
    return Source(training, held_out, test, parts[0].classes, _common_shape(usable[0]), errors)


def _part(folder: Path, names: tuple[str, ...]) -> Path | None:
    return next((folder / name for name in names if os.path.isdir(folder / name)), None)


def _has_classes(folder: Path) -> bool:
    """Whether two folders in it, or more, hold images; not those of a segmentation."""
    try:
        below = [entry for entry in folder.iterdir() if entry.is_dir() and not entry.name.startswith(".")]
    except OSError:
        return False
    if any((entry / "masks").is_dir() for entry in below) or {"images", "masks"} <= {e.name for e in below}:
        return False
    return len(below) >= 2 and all(next(find_images(entry), None) for entry in below)


def _is_source(data: str, folder: Path) -> bool:
    """Whether the files of this dataset lie in the folder."""
    if data == "cifar10":
        return any((folder / below / "test_batch.bin").is_file() for below in (".", "cifar-10-batches-bin"))
    return any((folder / f"t10k-labels-idx1-ubyte{suffix}").is_file() for suffix in ("", ".gz"))


def _check_classes(parts: list[ImageFolder | None]) -> None:
    """The parts of one dataset must have the same classes."""
    first = parts[0]
    assert first is not None
    for part in parts[1:]:
        if part is not None and part.classes != first.classes:
            found = f"with the classes {', '.join(part.classes)}"
            raise DataError("train", repr(str(part.root)), found, ", ".join(first.classes))


def _common_shape(dataset: Any) -> tuple[int, int, int]:
    """(C, H, W) of the images, judged by some of them; 0 for sizes that differ, 3 channels if any has."""
    places = np.linspace(0, len(dataset) - 1, min(LOOKED_AT, len(dataset))).astype(int)
    shapes = {dataset[place][0].shape for place in places.tolist()}
    channels = max(shape[0] for shape in shapes)
    sizes = {shape[1:] for shape in shapes}
    height, width = sizes.pop() if len(sizes) == 1 else (0, 0)
    return channels, height, width
