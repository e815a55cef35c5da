"""The binary files of CIFAR-10.

Krizhevsky, "Learning Multiple Layers of Features from Tiny Images" (2009).
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from tinyconv.data.dataset import Dataset, check_index
from tinyconv.data.images import to_float
from tinyconv.errors import DataError

Array = Any

CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
SHAPE = (3, 32, 32)
RECORD = 1 + 3 * 32 * 32
PARTS = {True: tuple(f"data_batch_{number}.bin" for number in range(1, 6)), False: ("test_batch.bin",)}
FOLDER = "cifar-10-batches-bin"
MAX_BYTES = 2**30


class CIFAR10(Dataset):
    """60,000 colour photographs of ten things, 50,000 to train on and 10,000 to test.

    Parameters
    ----------
    path : path
        The folder of ``data_batch_1.bin`` to ``data_batch_5.bin`` and ``test_batch.bin``, or one
        that holds it as ``cifar-10-batches-bin``. Each record is a byte for the label and 3072 for
        the pixels: red, green, blue, each row by row.
    train : bool
        The training or the test part.

    Raises
    ------
    DataError
        If a file is missing, does not consist of whole records, or has a label above 9.

    Notes
    -----
    An item is (image, label): float32 (3, 32, 32) from 0 to 1, and an int from 0 to 9, whose name is
    ``classes[label]``.

    Examples
    --------
    >>> import tempfile
    >>> folder = tempfile.mkdtemp()
    >>> _ = open(os.path.join(folder, "test_batch.bin"), "wb").write(bytes([6]) + bytes(3072))
    >>> image, label = CIFAR10(folder, train=False)[0]
    >>> image.shape, label, CIFAR10.classes[label]
    ((3, 32, 32), 6, 'frog')
    """

    classes = CLASSES

    def __init__(self, path: str | os.PathLike[str], train: bool = True) -> None:
        folder = Path(path)
        folder = folder / FOLDER if (folder / FOLDER).is_dir() else folder
        parts = [_read_records(folder / name) for name in PARTS[train]]
        records = np.concatenate(parts)
        self.labels = records[:, 0]
        self.images = records[:, 1:].reshape(-1, *SHAPE)

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[Array, int]:
        index = check_index(self, index)
        return to_float(self.images[index]), int(self.labels[index])


def _read_records(path: Path) -> Array:
    """The records of one file, uint8 (count, 3073)."""
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise _refuse(path, f"of {size} bytes", f"at most {MAX_BYTES}")
        content = np.fromfile(path, np.uint8)
    except OSError as error:
        raise _refuse(path, f"unreadable ({error.strerror})", "a file of CIFAR-10, binary version") from error
    if not content.size or content.size % RECORD:
        raise _refuse(path, f"of {content.size} bytes", f"a multiple of {RECORD}, a label and an image each")
    records = content.reshape(-1, RECORD)
    if records[:, 0].max() >= len(CLASSES):
        raise _refuse(path, f"of labels up to {records[:, 0].max()}", f"labels from 0 to {len(CLASSES) - 1}")
    return records


def _refuse(path: Path, value: str, expected: str) -> DataError:
    return DataError("CIFAR10", repr(str(path)), value, expected)
