"""The numbers in an ONNX file, as arrays: initializers, constants, and what they may be."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from tinyconv.errors import CheckpointError, UnsupportedError

DTYPES = {
    1: "float32",
    2: "uint8",
    3: "int8",
    4: "uint16",
    5: "int16",
    6: "int32",
    7: "int64",
    9: "bool",
    11: "float64",
    12: "uint32",
    13: "uint64",
}
"""ONNX's numbers for the element types that tinyconv has."""


def dtype_of(where: str, what: str, code: int) -> np.dtype[Any]:
    """The NumPy dtype that ONNX's number for an element type means."""
    if code in DTYPES:
        return np.dtype(DTYPES[code])
    from tinyconv.io.onnx.package import onnx_package

    known = {number: name for name, number in onnx_package(where).TensorProto.DataType.items()}
    found = f"of element type {known.get(code, code)}"
    raise UnsupportedError(where, what, found, "one of " + ", ".join(DTYPES.values()))


def array_of(where: str, tensor: Any, folder: Path | None) -> np.ndarray[Any, Any]:
    """The values of a TensorProto, in memory of their own.

    Parameters
    ----------
    where : str
        The file, for messages.
    tensor : onnx.TensorProto
    folder : Path or None
        Where files beside the model may be read; None: nowhere.
    """
    from tinyconv.io.onnx.package import onnx_package

    onnx, what = onnx_package(where), f"tensor {tensor.name!r}"
    dtype = dtype_of(where, what, tensor.data_type)
    if any(size < 0 for size in tensor.dims):
        raise CheckpointError(where, what, f"of shape {tuple(tensor.dims)}", "sizes >= 0")
    if tensor.data_location == onnx.TensorProto.EXTERNAL:
        content = _beside(where, what, tensor, folder)
        if len(content) != dtype.itemsize * int(np.prod(tensor.dims, dtype=object)):
            expected = f"{dtype} numbers of shape {tuple(tensor.dims)}"
            raise CheckpointError(where, what, f"{len(content)} bytes long", expected)
        return np.frombuffer(content, dtype.newbyteorder("<")).astype(dtype).reshape(tuple(tensor.dims))
    try:
        array = np.array(onnx.numpy_helper.to_array(tensor))
    except Exception as error:  # onnx raises whatever comes to hand for damaged tensors
        raise CheckpointError(where, what, f"damaged ({error})", "as many numbers as its shape") from error
    if array.dtype != dtype:
        raise CheckpointError(where, what, f"read as {array.dtype}", str(dtype))
    return array


def _beside(where: str, what: str, tensor: Any, folder: Path | None) -> bytes:
    """The bytes of a tensor that stand in another file: one of the same folder, and no link."""
    entries = {entry.key: entry.value for entry in tensor.external_data}
    name = entries.get("location", "")
    if folder is None:
        raise CheckpointError(where, what, f"in another file, {name!r}", "a model given by its path")
    if not name or name in (".", "..") or name != os.path.basename(name) or "\\" in name or "\0" in name:
        expected = "a file in the same folder: nothing else is read on the word of a model"
        raise CheckpointError(where, what, f"in {name!r}", expected)
    path = folder / name
    try:
        if path.is_symlink() or not path.is_file():
            raise CheckpointError(where, what, f"in {name!r}", "a file in the model's folder, no link")
        offset, length = int(entries.get("offset", 0)), int(entries.get("length", -1))
        if offset < 0 or length < -1:
            raise ValueError(f"offset {offset}, length {length}")
        with open(path, "rb") as file:
            file.seek(offset)
            return file.read(length)
    except (OSError, ValueError, OverflowError, MemoryError) as error:
        raise CheckpointError(where, what, f"in {name!r} ({error})", "a part of a readable file") from error
