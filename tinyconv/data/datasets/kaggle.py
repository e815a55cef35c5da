"""Nuclei in the folder layout of the 2018 Data Science Bowl (BBBC038)."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tinyconv.data.bad_images import check_choice
from tinyconv.data.dataset import Dataset, check_index
from tinyconv.data.images import read_object, read_pixels, to_float
from tinyconv.data.transforms import check_size
from tinyconv.errors import ArgumentError, DataError

Array = Any

STAINS = ("all", "fluorescence")
CACHE_BYTES = 2**30
LAYOUT = "<id>/images/*.png and <id>/masks/*.png"
NO_DATA = ("Thumbs.db", "desktop.ini")


class NucleiFolder(Dataset):
    """Images of cell nuclei, with a mask file per nucleus.

    The layout is ``<id>/images/<one image>.png`` and ``<id>/masks/*.png``, one black and
    white PNG per nucleus. Hidden files are passed over, as are files (not folders) beside
    the <id> folders; all else that does not fit is an error, not left out. Decoded images
    are kept in memory up to 1 GiB.

    Parameters
    ----------
    path : path
        The folder of the <id> folders, or one that holds it as ``stage1_train`` or as
        ``dsb2018/stage1_train``.
    stain : {"all", "fluorescence"}
        Which images: all, or the dark grey ones, see `is_fluorescence`.
    size : int or (int, int), optional
        Only images of this height and width.
    on_bad_image : {"stop", "skip"}
        With ``skip``, folders that lack their image or masks, and images that cannot be decoded while
        `stain` or `size` chooses among them, are left out; the errors are in `errors`.

    Raises
    ------
    DataError
        If no image is there, an <id> folder lacks its image or its masks, a file cannot be
        decoded, or a mask has another size than its image. Files are decoded when first
        needed: use `check` to have all of them decoded now.

    Notes
    -----
    An item is (image, mask) in float32: image (1, H, W) if grey, else (3, H, W), from 0 to
    1; mask (1, H, W), 1 in the nuclei. `instances` tells the nuclei apart.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        stain: str = "all",
        size: int | tuple[int, int] | None = None,
        on_bad_image: str = "stop",
    ) -> None:
        self.skip = check_choice(on_bad_image) == "skip"
        self.errors: list[DataError] = []
        if stain not in STAINS:
            raise ArgumentError("NucleiFolder", "stain", repr(stain), " or ".join(map(repr, STAINS)))
        self.root = _find_root(Path(path))
        self.folders = self._usable(_list_folders(self.root), _find_item)
        self._decoded: dict[int, tuple[Array, Array]] = {}
        self._decoded_bytes = 0
        if stain != "all" or size is not None:
            self._choose(stain, None if size is None else check_size("NucleiFolder", size))

    def _choose(self, stain: str, size: tuple[int, int] | None) -> None:
        """Keep the folders whose image has this stain and size."""
        count = len(self.folders)
        wanted = self._usable(self.folders, lambda folder: _is_wanted(folder[0], stain, size) and folder)
        self.folders = [folder for folder in wanted if folder]
        if not self.folders:
            found = f"a folder of {count} images, none of stain {stain!r} and size {size or 'any'}"
            raise DataError("NucleiFolder", repr(str(self.root)), found, "at least one")

    def _usable(self, things: Sequence[Any], look: Callable[[Any], Any]) -> list[Any]:
        """What `look` makes of each thing; those that it cannot use are left out or fatal."""
        found = []
        for thing in things:
            try:
                found.append(look(thing))
            except DataError as error:
                if not self.skip:
                    raise
                self.errors.append(error)
        if self.errors and not found:
            raise self.errors[0]
        return found

    def __len__(self) -> int:
        return len(self.folders)

    def __getitem__(self, index: int) -> tuple[Array, Array]:
        pixels, labels = self._read(check_index(self, index))
        return to_float(pixels), (labels > 0)[None].astype(np.float32)

    def instances(self, index: int) -> Array:
        """The nuclei of item `index`, int32 (H, W): 0 outside, k in the k-th nucleus by file name.

        A pixel that several nuclei claim goes to the smallest of them.
        """
        return self._read(check_index(self, index))[1].astype(np.int32)

    def name(self, index: int) -> str:
        """The <id> of item `index`."""
        return self.folders[index][0].parent.parent.name

    def check(self) -> None:
        """Decode every file now; raises `DataError` at the first one that is unfit."""
        for index in range(len(self)):
            self._read(index)

    def _read(self, index: int) -> tuple[Array, Array]:
        """Stored pixels (C, H, W) and labels (H, W) of one item, from memory if they are there."""
        if index in self._decoded:
            return self._decoded[index]
        image, masks = self.folders[index]
        pixels = _drop_equal_channels(read_pixels(image))
        labels = _label(image, masks, pixels.shape[1:])
        if self._decoded_bytes + pixels.nbytes + labels.nbytes <= CACHE_BYTES:
            self._decoded[index] = pixels, labels
            self._decoded_bytes += pixels.nbytes + labels.nbytes
        return pixels, labels


def is_fluorescence(pixels: Array) -> bool:
    """Whether an image is grey and dark: bright nuclei on a black ground.

    Grey means that the colour channels differ by less than 1 % of full scale on average;
    dark, that the median is below a quarter of full scale.

    Parameters
    ----------
    pixels : array (C, H, W)
        uint8 or uint16, or floats from 0 to 1.
    """
    values = to_float(pixels)
    spread = np.mean(values.max(axis=0) - values.min(axis=0))
    return bool(spread < 0.01 and np.median(values) < 0.25)


def _is_wanted(image: Path, stain: str, size: tuple[int, int] | None) -> bool:
    pixels = read_pixels(image)
    return (size is None or pixels.shape[1:] == size) and (stain == "all" or is_fluorescence(pixels))


def _find_root(path: Path) -> Path:
    """The folder of the <id> folders."""
    if not path.is_dir():
        raise DataError("NucleiFolder", "path", repr(str(path)), f"a folder of {LAYOUT}")
    for candidate in (path / "stage1_train", path / "dsb2018" / "stage1_train"):
        if candidate.is_dir():
            return candidate
    return path


def _list_folders(root: Path) -> list[Path]:
    folders = [entry for entry in _visible(root) if entry.is_dir()]
    if not folders:
        raise DataError(
            "NucleiFolder",
            repr(str(root)),
            "a folder without subfolders",
            f"{LAYOUT}; or images and masks of the same names in images/ and masks/",
        )
    return folders


def _find_item(folder: Path) -> tuple[Path, list[Path]]:
    """(the image file, the mask files) of one <id> folder."""
    images = _list_png(folder / "images")
    if len(images) != 1:
        found = f"a folder of {len(images)} images"
        raise DataError("NucleiFolder", repr(str(folder / "images")), found, "one PNG image")
    masks = _list_png(folder / "masks")
    if not masks:
        found = "a mask folder without masks"
        raise DataError("NucleiFolder", repr(str(folder / "masks")), found, "one PNG file per nucleus")
    return images[0], masks


def _list_png(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise DataError("NucleiFolder", repr(str(folder)), "missing", f"a folder, as in {LAYOUT}")
    files = _visible(folder)
    for file in files:
        if file.suffix.lower() != ".png":
            expected = f"only PNG files in {folder.name}/"
            raise DataError("NucleiFolder", repr(str(file)), "no PNG file", expected)
    return files


def _visible(folder: Path) -> list[Path]:
    """What lies in `folder` in name order, without hidden files."""
    try:
        entries = sorted(folder.iterdir())
    except OSError as error:
        found = f"closed to us ({error.strerror})"
        raise DataError("NucleiFolder", repr(str(folder)), found, "a folder that can be read") from error
    return [entry for entry in entries if not entry.name.startswith(".") and entry.name not in NO_DATA]


def _drop_equal_channels(pixels: Array) -> Array:
    """(3, H, W) with three equal channels as (1, H, W)."""
    equal = len(pixels) == 3 and (pixels[0] == pixels[1]).all() and (pixels[0] == pixels[2]).all()
    return pixels[:1].copy() if equal else pixels


def _label(image: Path, masks: Sequence[Path], size: tuple[int, int]) -> Array:
    """Merge one mask per nucleus into labels (H, W), the smallest nucleus on top."""
    nuclei = []
    for number, path in enumerate(masks, start=1):
        mask_size, box, mask = read_object(path)
        if mask_size != size:
            expected = f"{size}, the height and width of {str(image)!r}"
            raise DataError("NucleiFolder", f"the size of {str(path)!r}", mask_size, expected)
        nuclei.append((np.count_nonzero(mask), number, box, mask))
    labels = np.zeros(size, np.min_scalar_type(len(masks)))
    for _, number, box, mask in sorted(nuclei, key=lambda nucleus: -nucleus[0]):
        labels[box][mask] = number
    return labels
