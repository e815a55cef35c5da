"""What lies in a folder of data, and whether all of it can be read."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from tinyconv.data.catalogue import CATALOGUE
from tinyconv.data.datasets.cifar import CIFAR10
from tinyconv.data.datasets.cifar import FOLDER as CIFAR_FOLDER
from tinyconv.data.datasets.image_folder import ImageFolder, MaskFolder
from tinyconv.data.datasets.kaggle import NucleiFolder
from tinyconv.data.datasets.mni import MNI
from tinyconv.data.datasets.mnist import MNIST
from tinyconv.data.datasets.volume_folder import VolumeFolder, has_volumes, volumes_in
from tinyconv.data.datasets.volumes import read_nifti
from tinyconv.data.download import is_whole
from tinyconv.errors import DataError

Array = Any

KNOWN = (
    "images/ beside masks/ with files of the same names, a folder for each class, ID/images/ and ID/masks/, "
    "files .nii or .nii.gz, or the files of MNIST or CIFAR-10"
)
MNIST_FILE, CIFAR_FILE = "-images-idx3-ubyte", "_batch"
BRAIN = "mni"


@dataclass
class Report:
    """What `check` found.

    Attributes
    ----------
    lines : list of str
        What the data are.
    problems : list of DataError
        What cannot be used, each with its file's name.
    items : int
        How many items were tried.
    """

    lines: list[str] = field(default_factory=list)
    problems: list[DataError] = field(default_factory=list)
    items: int = 0


def check(path: str | os.PathLike[str]) -> Report:
    """Read every image or volume below a folder, and tell what is there and what is wrong.

    Known are the files of MNIST and CIFAR-10, the nuclei of the 2018 Data Science Bowl, ``images/``
    beside ``masks/`` (images, or NIfTI volumes), NIfTI volumes without masks, and a folder for each class.
    A file named as one of the catalogue's is compared with its checksum. The path ``mni`` is the brain
    that comes with nilearn.

    Raises
    ------
    DataError
        If the folder cannot be read, or none of these is in it.
    PackageError
        If volumes are to be read without nibabel, or the brain without nilearn.
    """
    folder, report = Path(path), Report()
    found: list[tuple[str, Any]]
    if str(path) == BRAIN:
        found = [(f"the brain of MNI, {part}", MNI(part)) for part in ("training", "held-out")]
    elif os.path.isdir(folder):
        found = _datasets(folder)
    else:
        raise DataError("check", "PATH", repr(str(folder)), "a folder")
    for title, dataset in found:
        alone = getattr(dataset, "errors", [])  # images without masks, and the like
        report.problems += alone
        report.items += len(alone)
        items = _try_all(dataset, report)
        report.lines.append(f"{title}: {len(dataset):,} items{items}")
    report.lines += _compare_checksums(folder)
    return report


def _datasets(folder: Path) -> list[tuple[str, Any]]:
    """(what it is, the dataset) for all that lies in the folder."""
    try:
        names = sorted(entry.name for entry in folder.iterdir())
    except OSError as error:
        raise DataError("check", repr(str(folder)), f"unreadable ({error.strerror})", "a folder") from error
    if any(MNIST_FILE in name for name in names):
        return [
            (f"files of MNIST, {part}", MNIST(folder, part == "training")) for part in ("training", "test")
        ]
    if CIFAR_FOLDER in names or any(CIFAR_FILE in name and name.endswith(".bin") for name in names):
        return [
            (f"files of CIFAR-10, {part}", CIFAR10(folder, part == "training"))
            for part in ("training", "test")
        ]
    if "images" in names and "masks" in names:
        if has_volumes(folder / "images"):
            return [("volumes with masks", VolumeFolder(folder, on_bad_image="skip"))]
        return [("images with masks", MaskFolder(folder, on_bad_image="skip"))]
    if has_volumes(folder):
        return [("volumes without masks", _Volumes(folder))]
    if (
        "stage1_train" in names
        or "dsb2018" in names
        or any((folder / name / "masks").is_dir() for name in names)
    ):
        return [("nuclei, a mask for each", NucleiFolder(folder, on_bad_image="skip"))]
    if not any(entry.is_dir() for entry in folder.iterdir()):
        raise DataError("check", repr(str(folder)), "without data that is known", KNOWN)
    return [("images by class", ImageFolder(folder))]


class _Volumes:
    """The NIfTI files of a folder, as items (volume,)."""

    def __init__(self, folder: Path) -> None:
        self.files = list(volumes_in(folder).values())
        self._spacings: dict[int, tuple[float, ...]] = {}

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int) -> tuple[Array]:
        volume = read_nifti(self.files[index])
        self._spacings[index] = volume.spacing
        return (volume.values[None],)

    def spacing(self, index: int) -> tuple[float, ...]:
        return self._spacings[index]


def _try_all(dataset: Any, report: Report) -> str:
    """Read each item; its errors go into the report, and what the items are comes back as text."""
    shapes: Counter[tuple[float, ...]] = Counter()
    voxels: Counter[tuple[float, ...]] = Counter()
    labels: set[int] = set()
    for index in range(len(dataset)):
        report.items += 1
        try:
            image, *others = dataset[index]
        except DataError as error:
            report.problems.append(error)
            continue
        shapes[np.shape(image)] += 1
        if hasattr(dataset, "spacing"):
            voxels[dataset.spacing(index)] += 1
            labels.update(*(np.unique(mask).tolist() for mask in others))
    if not shapes:
        return ", none of them readable"
    text = f" of {_commonest(shapes, 'shapes')}{_classes(dataset)}"
    text += f", voxels of {_commonest(voxels, 'sizes')} in mm" if voxels else ""
    return text + (f", classes {', '.join(map(str, sorted(labels)))}" if labels else "")


def _commonest(counts: Counter[tuple[float, ...]], kind: str) -> str:
    """The sizes that most items have, and how many others there are."""
    ((sizes, _),) = counts.most_common(1)
    others = "" if len(counts) == 1 else f" and {len(counts) - 1} other {kind}"
    return " x ".join(f"{size:g}" for size in sizes) + others


def _classes(dataset: Any) -> str:
    if not hasattr(dataset, "labels"):
        return ""
    counts = np.bincount(dataset.labels, minlength=len(dataset.classes))
    return f", {len(counts)} classes of {counts.min():,} to {counts.max():,}"


def _compare_checksums(folder: Path) -> list[str]:
    """One line for each file of the catalogue that lies in the folder."""
    lines = []
    for entry in CATALOGUE.values():
        for file in entry.files:
            if entry.name != folder.resolve().name or not (folder / file.name).is_file():
                continue
            algorithm = file.checksum[0] if file.checksum else "size"
            same = is_whole(file, folder / file.name)
            lines.append(f"{file.name}: {algorithm} {'as' if same else 'not as'} published")
    return lines
