"""Volumes with a mask of the same name each: NIfTI files in ``images/`` and ``masks/``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from tinyconv.data.bad_images import pair_by_name
from tinyconv.data.dataset import Dataset, check_index
from tinyconv.data.datasets.volumes import Volume, read_nifti
from tinyconv.errors import DataError

Array = Any

SUFFIXES = (".nii", ".nii.gz")
MOST_CLASSES = 256
SAME_PLACE = 1e-3
"""In mm: the affine transforms of a volume and its mask may differ by so much."""


class VolumeFolder(Dataset):
    """Volumes and their masks, as NIfTI files.

    Parameters
    ----------
    path : path
        The folder of ``images/`` and ``masks/``; ``images/ct1.nii.gz`` belongs to ``masks/ct1.nii.gz``.
        The numbers in a mask are classes, 0 for the background.
    on_bad_image : {"stop", "skip"}
        With ``skip``, volumes without a mask and masks without a volume are left out; the errors are in
        `errors`.

    Raises
    ------
    DataError
        If a folder is missing, a volume has no mask or a mask no volume; and at an item, if a file cannot
        be read, or a mask has another shape or lies elsewhere than its volume, or holds other numbers
        than 0, 1, … 255.
    PackageError
        Without nibabel, at an item.

    Notes
    -----
    An item is (volume, mask): float32 (1, D, H, W), and int64 (1, D, H, W).
    """

    def __init__(self, path: str | os.PathLike[str], on_bad_image: str = "stop") -> None:
        self.root = Path(path)
        images, masks = (volumes_in(self.root / part) for part in ("images", "masks"))
        self.pairs, self.errors = pair_by_name(
            "VolumeFolder", images, masks, " ".join(SUFFIXES), on_bad_image
        )
        if not self.pairs:
            found_none = "without .nii or .nii.gz files"
            raise DataError("VolumeFolder", repr(str(self.root / "images")), found_none, "at least one")
        self._spacings: dict[int, tuple[float, float, float]] = {}

    def __len__(self) -> int:
        return len(self.pairs)

    def __getitem__(self, index: int) -> tuple[Array, Array]:
        index = check_index(self, index)
        image_file, mask_file = self.pairs[index]
        image, mask = read_nifti(image_file), read_nifti(mask_file)
        _check_same_place(image_file, image, mask_file, mask)
        labels = mask.values.astype(np.int64)
        if (labels != mask.values).any() or labels.min() < 0 or labels.max() >= MOST_CLASSES:
            found = f"of numbers from {mask.values.min():g} to {mask.values.max():g}"
            expected = f"whole numbers from 0 to {MOST_CLASSES - 1}, a class each"
            raise DataError("VolumeFolder", repr(str(mask_file)), found, expected)
        self._spacings[index] = image.spacing
        return image.values[None], labels[None]

    def spacing(self, index: int) -> tuple[float, float, float]:
        """Millimetres from voxel to voxel along D, H and W."""
        index = check_index(self, index)
        if index not in self._spacings:
            self._spacings[index] = read_nifti(self.pairs[index][0]).spacing
        return self._spacings[index]

    def name(self, index: int) -> str:
        """The volume's file of item `index`."""
        return self.pairs[index][0].name


def volumes_in(folder: Path) -> dict[str, Path]:
    """The NIfTI files of a folder by their names without suffix; hidden ones are passed over."""
    try:
        entries = sorted(folder.iterdir())
    except OSError as error:
        found = f"unreadable ({error.strerror})"
        raise DataError("VolumeFolder", repr(str(folder)), found, "a folder that can be read") from error
    files: dict[str, Path] = {}
    for path in entries:
        if path.name.startswith(".") or not path.name.lower().endswith(SUFFIXES):
            continue
        name = stem(path)
        if name in files:
            expected = f"another name than {files[name].name}"
            raise DataError("VolumeFolder", repr(str(path)), "one of two", expected)
        files[name] = path
    return files


def has_volumes(folder: Path) -> bool:
    """Whether a file of this folder, hidden ones apart, is a NIfTI file by its name.

    Raises
    ------
    DataError
        If the folder cannot be read.
    """
    try:
        names = [path.name.lower() for path in folder.iterdir()]
    except OSError as error:
        found = f"unreadable ({error.strerror})"
        raise DataError("VolumeFolder", repr(str(folder)), found, "a folder that can be read") from error
    return any(name.endswith(SUFFIXES) and not name.startswith(".") for name in names)


def stem(path: Path) -> str:
    """The name of a file without ``.nii.gz``, or without its one suffix."""
    for suffix in reversed(SUFFIXES):
        if path.name.lower().endswith(suffix):
            return path.name[: -len(suffix)]
    return path.stem


def _check_same_place(image_file: Path, image: Volume, mask_file: Path, mask: Volume) -> None:
    if mask.values.shape != image.values.shape:
        expected = f"{image.values.shape}, the size of {str(image_file)!r}"
        raise DataError("VolumeFolder", f"the size of {str(mask_file)!r}", mask.values.shape, expected)
    assert image.affine is not None and mask.affine is not None
    apart = float(np.abs(np.subtract(image.affine, mask.affine)).max())
    if apart > SAME_PLACE:
        found = f"{apart:.3g} mm away from its volume's"
        raise DataError("VolumeFolder", f"the affine of {str(mask_file)!r}", found, "the same place")
