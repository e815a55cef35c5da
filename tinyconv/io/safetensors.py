"""Named arrays in safetensors files: a header of names, dtypes and shapes, then the numbers.

What is written here has a checksum in the header's metadata; a file of others has none and is read without.

A safetensors file holds no code, and nothing of it is run: a damaged or hostile file can at
worst be refused. No size that a file claims is believed before it is compared with the size
the file has.
"""

from __future__ import annotations

import hashlib
import json
import os
import struct
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tinyconv.device import to_device
from tinyconv.errors import ArgumentError, CheckpointError, DtypeError
from tinyconv.io.files import check_path, write_whole
from tinyconv.io.nested import KEY, flatten, is_array, is_flat, rebuild
from tinyconv.io.pytorch_file import is_pytorch_file, load_pytorch_file

Array = Any

SIGNATURE = "tinyconv.sha256"
"""The entry of the file's metadata with the SHA-256 of all the rest."""


def save_state(
    path: str | os.PathLike[str], tensors: Mapping[str, Any], metadata: Mapping[str, str] | None = None
) -> Path:
    """Write named arrays to a safetensors file, with a SHA-256 of all that is in it.

    Parameters
    ----------
    path : path
        A file of that name is replaced, in one step.
    tensors : mapping of str to array or Tensor
        Any memory order; the file has them in C order.
    metadata : mapping of str to str, optional
        Goes into the file's header.

    Raises
    ------
    StorageError
        If the file cannot be written; an earlier file is left as it was.
    DtypeError
        If `tensors` is no mapping, a name no text, a value no array of numbers, or a note no text.
    """
    from safetensors.numpy import save as serialize

    if not isinstance(tensors, Mapping):
        found = f"a {type(tensors).__name__}"
        raise DtypeError("save", "state_dict", found, "names with arrays, e.g. model.state_dict()")
    arrays = {_checked_name(name): _plain_array(name, value) for name, value in tensors.items()}
    given = {name: text for name, text in (metadata or {}).items() if name != SIGNATURE}
    if not all(isinstance(text, str) for pair in given.items() for text in pair):
        raise DtypeError("save", "metadata", repr(given), "texts by name")
    content = serialize(arrays, given or None)  # of two empty dicts it makes a header that nobody can read
    start = 8 + struct.unpack("<Q", content[:8])[0]
    table = json.loads(content[8:start])
    table["__metadata__"] = dict(sorted((given | {SIGNATURE: _sha256(arrays, given)}).items()))
    header = json.dumps(table, separators=(",", ":"), ensure_ascii=False).encode()
    header += b" " * (-len(header) % 8)
    return write_whole(path, struct.pack("<Q", len(header)) + header, memoryview(content)[start:])


def _sha256(arrays: Mapping[str, Array], metadata: Mapping[str, str]) -> str:
    """The checksum of what a file holds, in the order of the names, each number with its low byte first."""
    little = {name: array.dtype.newbyteorder("<") for name, array in sorted(arrays.items())}
    table = [[name, dtype.str, arrays[name].shape] for name, dtype in little.items()]
    digest = hashlib.sha256(json.dumps([table, dict(metadata)], sort_keys=True).encode())
    for name, dtype in little.items():
        digest.update(np.asarray(arrays[name], dtype, order="C").reshape(-1).view(np.uint8).data)
    return digest.hexdigest()


def load_state(path: str | os.PathLike[str]) -> tuple[dict[str, Array], dict[str, str]]:
    """Read a safetensors file.

    Returns
    -------
    tuple of (dict of str to array, dict of str to str)
        The arrays, which are the caller's own, and the metadata without the checksum.

    Raises
    ------
    CheckpointError
        If the file is missing, cut short, damaged (that is, not what its checksum says, if it has one),
        or holds a dtype that NumPy does not have.
    DtypeError
        If `path` is no path.
    """
    from safetensors import safe_open

    path = check_path("load", path)
    try:
        if not path.is_file():
            raise _refuse(path, "missing" if not path.exists() else "not a file", "a safetensors file")
        with safe_open(os.fspath(path), framework="np") as file:
            arrays = {name: _of_numpy(file.get_tensor(name)) for name in file.keys()}  # noqa: SIM118
            metadata = dict(file.metadata() or {})
        if SIGNATURE in metadata and metadata.pop(SIGNATURE) != _sha256(arrays, metadata):
            expected = (
                f"what was written; another program that changes the file has to leave out {SIGNATURE!r}"
            )
            raise _refuse(path, "damaged (wrong SHA-256)", expected)
        return arrays, metadata
    except CheckpointError:
        raise
    except OSError as error:
        reason = error.strerror or str(error)
        raise _refuse(path, f"unreadable ({reason})", "a file that can be read") from error
    except (TypeError, AttributeError) as error:  # what NumPy says of bfloat16, and of 8 bits
        expected = "dtypes of NumPy; in PyTorch, {name: x.float() for name, x in state_dict.items()}"
        raise _refuse(path, f"of a dtype that NumPy does not have ({error})", expected) from error
    except Exception as error:
        if _is_pickled(path):
            expected = "a safetensors file; in PyTorch, safetensors.torch.save_file(model.state_dict(), path)"
            raise _refuse(path, "a pickle, as torch.save writes, which can run code", expected) from error
        raise _refuse(path, f"damaged or cut short ({error})", "a whole safetensors file") from error


def _of_numpy(array: Array) -> Array:
    """A copy; a TypeError for a dtype that another package has added to NumPy."""
    if array.dtype.isbuiltin == 2:
        raise TypeError(f"data type {array.dtype.name!r} not understood")
    return np.array(array)


def _is_pickled(path: Path) -> bool:
    """Whether the file begins as a zip archive or a pickle does: what ``torch.save`` writes."""
    with path.open("rb") as file:
        return file.read(4).startswith((b"PK\x03\x04", b"\x80\x02", b"\x80\x04"))


def not_finite(tensors: Mapping[str, Array]) -> list[str]:
    """The names of the arrays that hold a NaN or an infinity.

    Examples
    --------
    >>> not_finite({"weight": np.ones(3), "bias": np.array([0.0, np.nan])})
    ['bias']
    """
    return [
        name for name, array in tensors.items() if array.dtype.kind == "f" and not np.isfinite(array).all()
    ]


def save(obj: Any, f: str | os.PathLike[str]) -> None:
    """Write a state dict, or a checkpoint around it, to a safetensors file; `load` reads it back.

    The file has a SHA-256 of all that is in it, which `load` compares; other readers pass it over.

    Parameters
    ----------
    obj : mapping of str to Tensor or array, or a dict, list or tuple with such in it
        What ``model.state_dict()`` returns, which any reader of safetensors can open; or
        ``{"epoch": 3, "model": model.state_dict(), "optimizer": optimizer.state_dict()}``: numbers,
        texts and nested containers go into the file's header as JSON.
    f : path

    Raises
    ------
    StorageError
        If the file cannot be written; an earlier file is left as it was.
    DtypeError
        If `obj` is something else, such as the model itself.
    """
    if is_flat(obj) or not (isinstance(obj, Mapping | list | tuple) or is_array(obj)):
        save_state(f, obj)
    else:
        save_state(f, *flatten(obj))


def load(
    f: str | os.PathLike[str], map_location: Any = None, *, weights_only: bool = True, allow_nan: bool = False
) -> Any:
    """Read what `save` wrote, or another safetensors file: a state dict for ``model.load_state_dict``.

    PyTorch's own files (``.pth``) are read as well where they hold tensors, numbers, texts and
    containers of such; nothing in them is run, and whatever else they hold is refused.
    Weights with a NaN in them are those of a training that went wrong: they are refused unless asked for.
    Infinities are sometimes meant, as in masks of scores: they are warned of.

    Parameters
    ----------
    f : path
    map_location : str, optional
        The device that the tensors are to be on; the CPU if not given.
    weights_only : bool
        PyTorch's safety catch; changes nothing, for no file is ever trusted.
    allow_nan : bool
        Read tensors that hold a NaN all the same.

    Raises
    ------
    CheckpointError
        If the file is missing, cut short or damaged, or a tensor in it holds a NaN. Changed bits are noticed
        in files that have a checksum, as those of `save` do.
    DtypeError
        If `path` is no path.
    """
    from tinyconv.tensor import Tensor

    place = "cpu" if map_location is None else str(map_location)
    if is_pytorch_file(check_path("load", f)):
        read: dict[str, Array] = {}

        def make(array: Array) -> Tensor:
            read[f"number {len(read)}, of shape {array.shape}"] = array
            return Tensor(to_device(array, place))

        loaded = load_pytorch_file(f, make)
        if not allow_nan:
            _check_finite(f, read)
        return loaded
    arrays, metadata = load_state(f)
    if not allow_nan:
        _check_finite(f, arrays)
    arrays = {name: to_device(array, place) for name, array in arrays.items()}
    if KEY in metadata:
        return rebuild(arrays, metadata[KEY])
    return {name: Tensor(array) for name, array in arrays.items()}


def _check_finite(f: str | os.PathLike[str], tensors: Mapping[str, Array]) -> None:
    """Refuse a NaN, warn of an infinity."""
    bad = not_finite(tensors)
    nan = [name for name in bad if np.isnan(tensors[name]).any()]
    if nan:
        expected = "numbers; allow_nan=True reads it all the same"
        raise CheckpointError("load", repr(os.fspath(f)), f"with NaN in {_some(nan)}", expected)
    if bad:
        warnings.warn(f"{os.fspath(f)!r}: infinite somewhere: {_some(bad)}", stacklevel=3)


def _some(names: list[str]) -> str:
    return ", ".join(map(repr, names[:4])) + (", …" if len(names) > 4 else "")


def _checked_name(name: Any) -> str:
    """`name`, if a file can hold it."""
    if not isinstance(name, str):
        raise DtypeError("save", "a name in the state_dict", f"{name!r} ({type(name).__name__})", "a str")
    surrogates = any("\ud800" <= character <= "\udfff" for character in name)
    if name == "__metadata__" or surrogates:
        raise ArgumentError("save", "a name in the state_dict", repr(name), "one that a file can hold")
    return name


def _plain_array(name: str, value: Any) -> Array:
    """The value as a NumPy array in C order, which is what the format stores."""
    held = getattr(value, "array", value)
    expected = "an array of numbers"
    if isinstance(held, Mapping):
        raise DtypeError("save", name, f"a {type(held).__name__}", expected)
    try:
        array = np.asarray(held.get() if hasattr(held, "get") else held, order="C")
    except ValueError as error:
        raise DtypeError("save", name, f"a {type(held).__name__} of uneven rows", expected) from error
    if array.dtype.kind not in "biuf" or array.dtype.itemsize > 8:
        raise DtypeError("save", name, f"a {type(held).__name__} of dtype {array.dtype}", expected)
    return array


def _refuse(path: str | os.PathLike[str], value: str, expected: str) -> CheckpointError:
    return CheckpointError("load", repr(os.fspath(path)), value, expected)
