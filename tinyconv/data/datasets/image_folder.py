"""Images in folders: a folder for each class, or a folder of images beside one of masks."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from tinyconv.data.bad_images import pair_by_name
from tinyconv.data.dataset import Dataset, check_index
from tinyconv.data.images import read_image, read_labels, read_mask
from tinyconv.errors import ArgumentError, DataError

Array = Any

SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".gif", ".ppm", ".pgm", ".pbm")
CLASSES_LAYOUT = "a folder for each class, with its images"
NAMES_OF_IMAGES = {"images", "image", "imgs", "img"}
NAMES_OF_MASKS = {"masks", "mask", "labels", "label", "annotations", "segmentations", "truth", "gt"}


class ImageFolder(Dataset):
    """Images whose class is the name of their folder.

    Parameters
    ----------
    path : path
        A folder with a folder for each class; images may lie in folders within those. Hidden files
        and folders, files that are no images by their name (see `SUFFIXES`), and links to folders
        are passed over.

    Raises
    ------
    DataError
        If there are fewer than two classes, or one has no images.

    Notes
    -----
    An item is (image, label): float32 (1, H, W) if grey, else (3, H, W), from 0 to 1, at the size
    it has, and an int, whose name is ``classes[label]``; classes are in the order of their names.
    Images are decoded when they are asked for, see `read_image`.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from tinyconv.data import write_png
    >>> folder = Path(tempfile.mkdtemp())
    >>> for name in ("cat", "dog"):
    ...     (folder / name).mkdir()
    ...     write_png(folder / name / "1.png", np.zeros((5, 6)))
    >>> data = ImageFolder(folder)
    >>> image, label = data[1]
    >>> image.shape, data.classes[label]
    ((1, 5, 6), 'dog')
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.root = Path(path)
        folders = [entry for entry in _visible(self.root) if entry.is_dir()]
        if len(folders) < 2:
            found = f"a folder of {len(folders)} folders"
            raise DataError("ImageFolder", repr(str(self.root)), found, f"{CLASSES_LAYOUT}, two at least")
        _refuse_masks(self.root, [folder.name for folder in folders])
        self.classes = tuple(folder.name for folder in folders)
        self.files: list[Path] = []
        labels: list[int] = []
        for label, folder in enumerate(folders):
            images = list(find_images(folder))
            if not images:
                raise DataError("ImageFolder", repr(str(folder)), "a folder without images", CLASSES_LAYOUT)
            self.files += images
            labels += [label] * len(images)
        self.labels = np.array(labels)

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int) -> tuple[Array, int]:
        index = check_index(self, index)
        return read_image(self.files[index]), int(self.labels[index])

    def name(self, index: int) -> str:
        """The file of item `index`, below the folder."""
        return str(self.files[index].relative_to(self.root))


class MaskFolder(Dataset):
    """Images with a mask of the same name each, in ``images/`` and ``masks/``.

    Parameters
    ----------
    path : path
        The folder that holds the two; ``images/cell 1.jpg`` belongs to ``masks/cell 1.png``.
    num_classes : int
        1: what is not black in a mask is the object. More: the grey value or palette index of a
        pixel is its class, from 0 to ``num_classes - 1``.
    on_bad_image : {"stop", "skip"}
        With ``skip``, images without a mask and masks without an image are left out; the errors are in
        `errors`.

    Raises
    ------
    DataError
        If a folder is missing, an image has no mask or a mask no image, two files of a folder differ
        in their suffix alone; and at an item, if a file cannot be decoded, the mask has another size
        than the image, or a class that is too large.

    Notes
    -----
    An item is (image, mask): float32 (1, H, W) or (3, H, W) from 0 to 1, and the mask (1, H, W),
    float32 of 0 and 1, or int64 classes.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from tinyconv.data import write_png
    >>> folder = Path(tempfile.mkdtemp())
    >>> for name in ("images", "masks"):
    ...     (folder / name).mkdir()
    ...     write_png(folder / name / "cell.png", np.eye(4))
    >>> image, mask = MaskFolder(folder)[0]
    >>> image.shape, mask.shape, mask.sum().item()
    ((1, 4, 4), (1, 4, 4), 4.0)
    """

    def __init__(
        self, path: str | os.PathLike[str], num_classes: int = 1, on_bad_image: str = "stop"
    ) -> None:
        if isinstance(num_classes, bool) or not isinstance(num_classes, int) or num_classes < 1:
            raise ArgumentError("MaskFolder", "num_classes", repr(num_classes), "an int of at least 1")
        self.root, self.num_classes = Path(path), num_classes
        images, masks = _by_stem(self.root / "images"), _by_stem(self.root / "masks")
        self.pairs, self.errors = pair_by_name("MaskFolder", images, masks, ".*", on_bad_image)
        if not self.pairs:
            raise DataError("MaskFolder", repr(str(self.root / "images")), "without images", "at least one")

    def __len__(self) -> int:
        return len(self.pairs)

    def __getitem__(self, index: int) -> tuple[Array, Array]:
        image_file, mask_file = self.pairs[check_index(self, index)]
        image = read_image(image_file)
        labels = (read_mask if self.num_classes == 1 else read_labels)(mask_file)
        if labels.shape != image.shape[1:]:
            expected = f"{image.shape[1:]}, the height and width of {str(image_file)!r}"
            raise DataError("MaskFolder", f"the size of {str(mask_file)!r}", labels.shape, expected)
        if self.num_classes == 1:
            return image, (labels > 0)[None].astype(np.float32)
        if labels.max() >= self.num_classes:
            found = f"of classes up to {labels.max()}"
            raise DataError("MaskFolder", repr(str(mask_file)), found, f"0 to {self.num_classes - 1}")
        return image, labels[None].astype(np.int64)

    def name(self, index: int) -> str:
        """The image's file of item `index`."""
        return self.pairs[index][0].name


def _refuse_masks(root: Path, names: list[str]) -> None:
    """Refuse two folders that are named as images and masks are, or nearly so; `MaskFolder` reads those."""
    kinds = [{name.lower() in of for name in names} for of in (NAMES_OF_IMAGES, NAMES_OF_MASKS)]
    if len(names) == 2 and kinds == [{True, False}] * 2:
        found = f"a folder of {names[0]!r} and {names[1]!r}"
        expected = f"'images' and 'masks', for images with masks; or {CLASSES_LAYOUT}"
        raise DataError("ImageFolder", repr(str(root)), found, expected)


def find_images(folder: Path) -> Iterator[Path]:
    """The image files below `folder`, in the order of their names; links to folders are not followed."""
    for place, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            if not name.startswith(".") and name.lower().endswith(SUFFIXES):
                yield Path(place, name)


def _by_stem(folder: Path) -> dict[str, Path]:
    """The image files of a folder by their names without suffix."""
    found: dict[str, Path] = {}
    for path in _visible(folder):
        if path.suffix.lower() in SUFFIXES:
            if path.stem in found:
                expected = f"another name than {found[path.stem].name}"
                raise DataError("MaskFolder", repr(str(path)), "one of two", expected)
            found[path.stem] = path
    return found


def _visible(folder: Path) -> list[Path]:
    """What lies in `folder` in name order, without hidden files."""
    try:
        entries = sorted(folder.iterdir())
    except OSError as error:
        found = f"unreadable ({error.strerror})"
        raise DataError("images", repr(str(folder)), found, "a folder that can be read") from error
    return [entry for entry in entries if not entry.name.startswith(".")]
