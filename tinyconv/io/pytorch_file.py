"""Weights in PyTorch's own files (``.pth``, ``.pt``), read without trusting them.

Such a file is a zip archive: a pickle that describes the tensors, and beside it their numbers.
Files from before 2020 have the same one after the other. `pickle_reader` understands
descriptions of tensors, and nothing else.
"""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Callable
from math import prod
from typing import Any, BinaryIO

import numpy as np

from tinyconv.errors import CheckpointError
from tinyconv.io.pickle_reader import Refused, Storage, TensorPlace, read_pickle

Array = Any

ZIP, PICKLE = b"PK\x03\x04", b"\x80\x02"
MAGIC = 0x1950A86A20F9469CFC6C
"""What a file from before 2020 begins with, as a pickle."""
PIECE = 2**20
MOST_BYTES = 2**26
"""Of the description; the numbers may take any room that the file has."""


def is_pytorch_file(path: str | os.PathLike[str]) -> bool:
    """Whether a file begins as PyTorch's files do."""
    try:
        if not os.path.isfile(path):  # a pipe would be waited for
            return False
        with open(path, "rb") as file:
            return file.read(4).startswith((ZIP, PICKLE))
    except (OSError, ValueError):  # ValueError: a null character in the name
        return False


def load_pytorch_file(path: str | os.PathLike[str], make: Callable[[Array], Any]) -> Any:
    """Read the tensors of a ``.pth`` file, in the containers in which they were saved.

    Parameters
    ----------
    path : path
    make : callable
        What becomes of each array. Arrays that share memory in the file share it here.

    Raises
    ------
    CheckpointError
        If the file holds anything but tensors, dicts, lists, tuples, numbers and texts, or is
        damaged. The message says how PyTorch converts it.
    """
    try:
        with open(path, "rb") as file:
            reader = _read_zip if file.read(4) == ZIP else _read_old
            file.seek(0)
            return reader(file, make)
    except Refused as error:
        raise _refuse(path, f"a pickle with {error}", "tensors only") from error
    except (
        *(OSError, ValueError, TypeError, LookupError, AttributeError, EOFError),
        *(OverflowError, MemoryError, RecursionError, NotImplementedError, RuntimeError, zipfile.BadZipFile),
    ) as error:
        found = f"damaged or cut short ({type(error).__name__}: {error})"
        raise _refuse(path, found, "a whole file of tensors") from error


def _read_zip(file: BinaryIO, make: Callable[[Array], Any]) -> Any:
    with zipfile.ZipFile(file) as archive:
        entries = {entry.filename: entry for entry in archive.infolist()}
        (name,) = [name for name in entries if name.endswith("/data.pkl") and name.count("/") == 1]
        folder = name.removesuffix("data.pkl")
        order = entries.get(f"{folder}byteorder")
        if order and (order.file_size != len(b"little") or archive.read(order) != b"little"):
            raise Refused("numbers in big-endian order")
        if entries[name].file_size > MOST_BYTES:
            raise Refused(f"a description of more than {MOST_BYTES} bytes")
        read: dict[str, bytearray] = {}

        def contents(storage: Storage) -> Array:
            if storage.key not in read:
                entry = entries[f"{folder}data/{storage.key}"]
                if entry.compress_type != zipfile.ZIP_STORED:
                    raise Refused("compressed numbers")
                claimed = entry.file_size + sum(map(len, read.values()))
                if claimed > os.fstat(file.fileno()).st_size:
                    raise ValueError("more numbers than the file has room for")
                with archive.open(entry) as numbers:
                    read[storage.key] = _content(numbers, entry.file_size)
            return _numbers(storage, read[storage.key])

        if entries[name].compress_type != zipfile.ZIP_STORED:
            raise Refused("a compressed description")
        return read_pickle(
            io.BytesIO(archive.read(name)), lambda place: make(_array(place, contents(place.storage)))
        )


def _read_old(file: BinaryIO, make: Callable[[Array], Any]) -> Any:
    """Three pickles about the file, the description, the keys of the storages, then their numbers.

    The numbers come after the description: it is read twice, first to find the storages.
    """
    if read_pickle(file, _no_tensor) != MAGIC:
        raise Refused("something else than weights")
    for _ in range(2):
        read_pickle(file, _no_tensor)
    start, storages = file.tell(), {}

    def note(place: TensorPlace) -> None:
        storages[place.storage.key] = place.storage

    read_pickle(file, note)
    read: dict[str, bytearray] = {}
    for key in read_pickle(file, _no_tensor):
        if not isinstance(key, str):
            raise ValueError(f"a {type(key).__name__} as the name of a storage")
        length = int.from_bytes(file.read(8), "little")
        size = length * np.dtype(storages[key].dtype).itemsize
        if length != storages[key].length or size > os.fstat(file.fileno()).st_size:
            raise ValueError(f"a storage {key!r} of {length} elements")
        read[key] = _content(file, size)
    file.seek(start)
    return read_pickle(
        file, lambda place: make(_array(place, _numbers(place.storage, read[place.storage.key])))
    )


def _no_tensor(place: TensorPlace) -> Any:
    raise Refused("a tensor in the place of the file's version")


def _content(file: Any, size: int) -> bytearray:
    """The next `size` bytes, which may be most of the memory there is: they are never there twice."""
    content, end = bytearray(size), 0
    while end < size and (piece := file.read(min(PIECE, size - end))):
        content[end : end + len(piece)] = piece
        end += len(piece)
    return content[:end] if end < size else content


def _numbers(storage: Storage, content: bytearray) -> Array:
    dtype = np.dtype(storage.dtype)
    if len(content) != storage.length * dtype.itemsize:
        raise ValueError(f"a storage {storage.key!r} of {len(content)} bytes for {storage.length} {dtype}")
    return np.frombuffer(content, dtype)


def _array(place: TensorPlace, numbers: Array) -> Array:
    """The tensor as a view of its storage, which it must lie in."""
    shape, strides = place.shape, place.strides
    last = place.offset + sum((size - 1) * stride for size, stride in zip(shape, strides, strict=True))
    count = prod(shape)
    if count and (last >= len(numbers) or count > len(numbers)):
        raise ValueError(f"a tensor of shape {shape} beyond its storage")
    if not count:
        return np.zeros(shape, numbers.dtype)
    steps = [stride * numbers.itemsize for stride in strides]
    return np.lib.stride_tricks.as_strided(numbers[place.offset :], shape, steps)


def _refuse(path: str | os.PathLike[str], found: str, expected: str) -> CheckpointError:
    name = os.fspath(path)
    line = (
        'python -c "import torch, safetensors.torch as s; '
        f's.save_file(torch.load({name!r}, weights_only=True), {name + ".safetensors"!r})"'
    )
    return CheckpointError("load", repr(name), found, f"{expected}; PyTorch converts weights with: {line}")
