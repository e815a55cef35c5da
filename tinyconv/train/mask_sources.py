"""Datasets of images with masks, by the name or the folder given to ``--data``."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tinyconv.data import (
    MNI,
    MaskFolder,
    NucleiFolder,
    SyntheticHeart,
    SyntheticNuclei,
    SyntheticOrgan,
    SyntheticVessels,
    VolumeFolder,
    read_nifti,
)
from tinyconv.data.bad_images import describe_bad, leave_out_bad
from tinyconv.data.datasets.mni import CLASSES
from tinyconv.data.datasets.volume_folder import has_volumes
from tinyconv.data.images import read_labels, read_pixels
from tinyconv.errors import DataError
from tinyconv.train.waiting import waiting

SYNTHETIC, NUCLEI, HEARTS, VESSELS, ORGANS, BRAIN = (
    "synthetic", "nuclei", "hearts", "vessels", "organs", "mni",
)  # fmt: skip
KAGGLE, PAIRS, NIFTI = "kaggle", "pairs", "nifti"
MADE = (SYNTHETIC, HEARTS, VESSELS, ORGANS)
NAMES = (*MADE, NUCLEI, BRAIN)
LAYOUTS = (*MADE, BRAIN, KAGGLE, PAIRS, NIFTI)
DATA_VARIABLE = "TINYCONV_DATA"
DATA_FOLDER = "data/dsb2018"
SOURCE = "https://data.broadinstitute.org/bbbc/BBBC038/stage1_train.zip"
MOST_CLASSES = 64
LOOKED_AT = 50


@dataclass(frozen=True)
class Kind:
    """What the items of a dataset are, see the attributes of `mask_config.Config`."""

    names: tuple[str, ...]
    exclusive: bool = False
    volumes: bool = False
    channels: int = 3


KINDS = {
    SYNTHETIC: Kind(("nuclei",)),
    KAGGLE: Kind(("nuclei",)),
    HEARTS: Kind(("outside", "blood", "muscle"), exclusive=True, volumes=True, channels=1),
    VESSELS: Kind(("vessel", "calcium"), channels=1),
    ORGANS: Kind(("organ", "lesion"), volumes=True, channels=1),
    BRAIN: Kind(CLASSES, exclusive=True, volumes=True, channels=1),
}


def find_folder(data: str, data_dir: str | None) -> tuple[str, Path | None]:
    """The layout of the data, and their folder; None for what is made or comes with a package.

    Raises
    ------
    DataError
        If there is no such folder.
    """
    if data in (*MADE, BRAIN):
        return data, None
    if data != NUCLEI:
        return _layout(checked(data)), Path(data)
    folder = Path(data_dir or os.environ.get(DATA_VARIABLE) or DATA_FOLDER)
    if not os.path.isdir(folder):
        expected = (
            f"the nuclei of the 2018 Data Science Bowl: unpack {SOURCE} into {DATA_FOLDER}/stage1_train, "
            f"or say where they are with --data-dir or {DATA_VARIABLE}; --data synthetic needs no download"
        )
        raise DataError("train", "the folder of the nuclei", f"{str(folder)!r}, which is not there", expected)
    return KAGGLE, folder


def checked(data: str) -> Path:
    """The folder, if it is one."""
    if not os.path.isdir(data):  # Path.is_dir raises OSError where a name is too long
        expected = f"{', '.join(NAMES)}, or a folder of <id>/images/*.png and <id>/masks/*.png"
        raise DataError("train", "--data", repr(data), f"{expected}, or of images/ and masks/")
    return Path(data)


def _layout(folder: Path) -> str:
    """How images and masks lie in a folder."""
    if not ((folder / "images").is_dir() and (folder / "masks").is_dir()):
        return KAGGLE
    return NIFTI if has_volumes(folder / "images") else PAIRS


def find_kind(layout: str, folder: Path | None, classes: int | None, skip: bool = False) -> Kind:
    """What the items are; of folders with classes all masks are read. With `skip` those that can be."""
    if layout == KAGGLE and folder is not None:
        NucleiFolder(folder, on_bad_image="skip")  # complains where no image is
    if layout in KINDS:
        return KINDS[layout]
    assert folder is not None
    on_bad_image = "skip" if skip else "stop"
    if layout == NIFTI:
        files = [mask for _, mask in VolumeFolder(folder, on_bad_image).pairs]
        files = _readable(files, read_nifti, skip)
        most = 0 if classes else max(_largest(files, _largest_of_volume))
        return _numbered(classes or most + 1, volumes=True, channels=1)
    pairs = MaskFolder(folder, on_bad_image=on_bad_image).pairs
    places = np.linspace(0, len(pairs) - 1, min(LOOKED_AT, len(pairs))).astype(int)
    looked_at = _readable([pairs[place][0] for place in places], read_pixels, skip)
    channels = max(read_pixels(file).shape[0] for file in looked_at)
    if classes is None:
        masks = _readable([mask for _, mask in pairs], read_pixels, skip)
        most = max(_largest(masks, _largest_of_image))
        classes = 1 if most <= 1 else most + 1
    return _numbered(classes, volumes=False, channels=channels)


def _numbered(classes: int, volumes: bool, channels: int) -> Kind:
    """One object, or classes by their numbers."""
    if classes <= 2:
        return Kind(("object",), volumes=volumes, channels=channels)
    names = ("background", *(f"class {number}" for number in range(1, classes)))
    return Kind(names, exclusive=True, volumes=volumes, channels=channels)


def _readable(files: list[Path], read: Callable[[Path], Any], skip: bool) -> list[Path]:
    """The files that can be read, if others are to be left out; else all."""
    if not skip:
        return files
    good, errors = [], []
    for file in files:
        try:
            read(file)
            good.append(file)
        except DataError as error:
            errors.append(error)
    if not good:
        raise errors[0]
    return good


def _largest(files: list[Path], look: Callable[[Path], int]) -> list[int]:
    return [look(file) for file in waiting(files, "looking for the classes of the masks")]


def _largest_of_volume(file: Path) -> int:
    return int(read_nifti(file).values.max())


def _largest_of_image(file: Path) -> int:
    """The largest class of a mask; 1 where what is not black is the object."""
    if len(read_pixels(file)) > 1 and not _has_palette(file):
        return 1  # colours
    values = np.unique(read_labels(file))
    if len(values) <= 2 and values[0] == 0 and values[-1] in (0, 1, 255, 65535):
        return 1 if len(values) == 2 else 0
    if values[-1] >= MOST_CLASSES:
        found = f"of grey values up to {values[-1]}"
        expected = f"black and one other, or classes from 0 to {MOST_CLASSES - 1}; or say --classes"
        raise DataError("train", repr(str(file)), found, expected)
    return int(values[-1])


def _has_palette(file: Path) -> bool:
    from PIL import Image

    with Image.open(file) as image:
        return image.mode == "P"


def open_source(config: Any) -> tuple[Any, Any]:
    """The images of a run, and those that its source holds out, or None."""
    layout, count, seed = config.layout, config.images, config.seed
    if layout == SYNTHETIC:
        return SyntheticNuclei(count, 2 * config.size, seed), None
    if layout == HEARTS:
        return SyntheticHeart(count, seed=seed), None
    if layout == VESSELS:
        return SyntheticVessels(count, seed=seed), None
    if layout == ORGANS:
        return SyntheticOrgan(count, seed=seed), None
    if layout == BRAIN:
        return MNI("training"), MNI("held-out")
    return _open_folder(config), None


def _open_folder(config: Any) -> Any:
    """The images of a folder; with ``skip`` all are decoded now, and the bad ones left out and named."""
    folder, skip = checked(config.data), config.on_bad_image == "skip"
    found: Any
    if config.layout == KAGGLE:
        found = NucleiFolder(folder, config.stain, on_bad_image=config.on_bad_image)
    elif config.layout == NIFTI:
        found = VolumeFolder(folder, config.on_bad_image)
    else:
        found = MaskFolder(folder, len(config.names), config.on_bad_image)
    usable, errors = leave_out_bad(found) if skip else (found, [])
    errors = getattr(found, "errors", []) + errors
    for line in describe_bad(errors, len(usable) + len(errors)):
        print(line)
    return usable
