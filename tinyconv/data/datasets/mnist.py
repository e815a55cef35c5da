"""The idx files of MNIST (LeCun, Cortes and Burges) and of the datasets that copy its format."""

from __future__ import annotations

import gzip
import os
import zlib
from math import prod
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from tinyconv.data.dataset import Dataset, check_index
from tinyconv.data.images import to_float
from tinyconv.errors import DataError

Array = Any

DTYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
MAX_BYTES = 2**30
MAX_DIMENSIONS = 32
MAX_DEFLATE_RATIO = 1032
"""No deflate stream, the compression inside gzip, expands by more."""


def read_idx(path: str | os.PathLike[str]) -> Array:
    """Read an idx file, plain or gzip-compressed.

    The format: two zero bytes, a byte for the dtype, a byte for the number of dimensions, a
    big-endian 32-bit size for each, then the values, the last dimension the fastest.

    Returns
    -------
    array
        Of the file's shape and dtype, in the machine's byte order.

    Raises
    ------
    DataError
        If the file is missing, damaged, no idx file, or holds less or more than its header
        says; or claims more than 1 GiB. No memory is set aside for sizes that the file
        cannot hold.
    """
    path = Path(path)
    try:
        with _open(path) as file:
            dtype, shape = _read_header(path, file)
            count = prod(shape) * dtype.itemsize
            _check_claim(path, count)
            _check_shape(path, shape)
            data = file.read(count + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise _refuse(path, f"damaged ({error})", "an idx file that can be read") from error
    if len(data) != count:
        found = f"{len(data)} bytes" if len(data) < count else "more bytes"
        raise _refuse(path, f"{found} after the header", f"{count} bytes for shape {shape}")
    return np.frombuffer(data, dtype).reshape(shape).astype(dtype.newbyteorder("="))


def _open(path: Path) -> BinaryIO | gzip.GzipFile:
    if path.exists() and not path.is_file():  # a pipe would be waited for
        raise OSError("not a file")
    with path.open("rb") as file:
        compressed = file.read(2) == b"\x1f\x8b"
    return gzip.open(path, "rb") if compressed else path.open("rb")


def _read_header(path: Path, file: BinaryIO | gzip.GzipFile) -> tuple[np.dtype[Any], tuple[int, ...]]:
    magic = file.read(4)
    if len(magic) < 4 or magic[:2] != b"\0\0" or magic[2] not in DTYPES or magic[3] == 0:
        found = f"a file that starts with {magic.hex(' ') or 'nothing'}"
        raise _refuse(path, found, "an idx file, which starts with 00 00, a dtype and a number of dimensions")
    sizes = file.read(4 * magic[3])
    if len(sizes) < 4 * magic[3]:
        raise _refuse(path, f"a header of {4 + len(sizes)} bytes", f"{4 + 4 * magic[3]} bytes")
    return np.dtype(DTYPES[magic[2]]), tuple(int(size) for size in np.frombuffer(sizes, ">u4"))


def _check_claim(path: Path, count: int) -> None:
    most = min(MAX_BYTES, path.stat().st_size * MAX_DEFLATE_RATIO)
    if count > most:
        raise _refuse(path, f"a header that claims {count} bytes", f"at most {most} from a file of this size")


def _check_shape(path: Path, shape: tuple[int, ...]) -> None:
    """Refuse what NumPy cannot hold: a size of 0 makes the others cost no byte."""
    if len(shape) > MAX_DIMENSIONS or prod(max(size, 1) for size in shape) > MAX_BYTES:
        expected = f"at most {MAX_DIMENSIONS} dimensions and {MAX_BYTES} values"
        raise _refuse(path, f"an array of shape {shape}", expected)


def _refuse(path: Path, value: str, expected: str) -> DataError:
    return DataError("read_idx", repr(str(path)), value, expected)


class MNIST(Dataset):
    """Handwritten digits, 60,000 to train on and 10,000 to test.

    Parameters
    ----------
    path : path
        The folder of the four files ``train-images-idx3-ubyte``, ``train-labels-idx1-ubyte``
        and ``t10k-...``, each plain or with the suffix ``.gz``.
    train : bool
        The training or the test part.

    Raises
    ------
    DataError
        If a file is missing or damaged, or if images and labels do not belong together.

    Notes
    -----
    An item is (image, label): float32 (1, 28, 28) from 0 to 1, and an int from 0 to 9.
    """

    classes = tuple("0123456789")

    def __init__(self, path: str | os.PathLike[str], train: bool = True) -> None:
        part = "train" if train else "t10k"
        images = _find(Path(path), f"{part}-images-idx3-ubyte")
        labels = _find(Path(path), f"{part}-labels-idx1-ubyte")
        self.images, self.labels = read_idx(images), read_idx(labels)
        if self.images.ndim != 3 or self.images.dtype != np.uint8 or 0 in self.images.shape:
            found = f"of shape {self.images.shape}, {self.images.dtype}"
            raise DataError("MNIST", repr(str(images)), found, "(count, H, W), uint8")
        count = len(self.images)
        if self.labels.shape != (count,) or self.labels.dtype != np.uint8:
            found = f"of shape {self.labels.shape}, {self.labels.dtype}"
            raise DataError("MNIST", repr(str(labels)), found, f"{(count,)}, uint8, a label per image")
        if self.labels.max() > 9:
            found = f"of labels up to {self.labels.max()}"
            raise DataError("MNIST", repr(str(labels)), found, "labels from 0 to 9")

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[Array, int]:
        index = check_index(self, index)
        return to_float(self.images[index][None]), int(self.labels[index])


class FashionMNIST(MNIST):
    """Pieces of clothing, 60,000 to train on and 10,000 to test, in files as those of MNIST.

    Xiao, Rasul and Vollgraf, "Fashion-MNIST: a Novel Image Dataset for Benchmarking Machine Learning
    Algorithms" (2017). Parameters, errors and items are those of `MNIST`.

    Examples
    --------
    >>> FashionMNIST.classes[9]
    'ankle boot'
    """

    classes = (
        *("T-shirt/top", "trouser", "pullover", "dress", "coat"),
        *("sandal", "shirt", "sneaker", "bag", "ankle boot"),
    )


def _find(folder: Path, name: str) -> Path:
    for candidate in (folder / name, folder / f"{name}.gz"):
        if candidate.is_file():
            return candidate
    raise DataError("MNIST", "path", repr(str(folder)), f"a folder with {name} or {name}.gz")
