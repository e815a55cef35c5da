"""Values as bytes, between the judge and the process that runs a student's code.

The judge does not trust what comes back, so nothing here can run code when it is read: a message is JSON
with the numbers of its arrays behind it. Only the standard library and NumPy are imported, because the
student's process loads this file by itself.
"""

from __future__ import annotations

import json
import math
import re
import struct
from dataclasses import dataclass
from typing import IO, Any

import numpy as np

LARGEST = 64 << 20
KINDS = "biufc"
DTYPE = re.compile(r"[<>|=][biufc]\d{1,2}")
HEAD = struct.Struct("<QQ")
DEPTH = 50
GAPS = range(1, 5)


class BadMessage(ValueError):
    """Bytes that are no message, or too many of them."""


@dataclass(frozen=True)
class Rng:
    """Arrives as ``numpy.random.default_rng(seed)``."""

    seed: int


@dataclass(frozen=True)
class TensorInput:
    """Arrives as a tensor of tinyconv, in exercises that may import it."""

    array: np.ndarray[Any, Any]
    requires_grad: bool = False


@dataclass(frozen=True)
class Unknown:
    """In the place of a value that cannot be sent: the name of its type."""

    type: str


@dataclass(frozen=True)
class Kept:
    """Stands for what an earlier step has kept under this name."""

    name: str


def pack(value: Any) -> bytes:
    """A message that holds `value`."""
    buffers: list[bytes] = []
    text = json.dumps(_describe(value, buffers, DEPTH)).encode()
    return b"".join([HEAD.pack(len(text), sum(map(len, buffers))), text, *buffers])


def read(stream: IO[bytes]) -> Any:
    """The next message of a stream.

    Raises
    ------
    EOFError
        If the stream ends before a message does.
    BadMessage
        If it is none, or larger than LARGEST.
    """
    text_size, data_size = HEAD.unpack(_exactly(stream, HEAD.size))
    if text_size + data_size > LARGEST:
        raise BadMessage(f"{text_size + data_size:,} bytes, more than {LARGEST:,}")
    text, data = _exactly(stream, text_size), _exactly(stream, data_size)
    try:
        return _restore(json.loads(text), data)
    except (ValueError, TypeError, KeyError, IndexError, RecursionError, OverflowError) as error:
        raise BadMessage(f"no message: {type(error).__name__}") from error


def _exactly(stream: IO[bytes], count: int) -> bytes:
    data = stream.read(count)
    if len(data) < count:
        raise EOFError
    return data


def _describe(value: Any, buffers: list[bytes], depth: int) -> Any:
    if value is None or type(value) in (bool, int, float, str):
        return value
    if depth == 0:
        return {"unknown": "a deeply nested value"}
    if isinstance(value, np.generic):
        return {"scalar": _describe_array(np.asarray(value), buffers)}
    if type(value) is np.ndarray:
        return {"array": _describe_array(value, buffers)}
    if isinstance(value, list | tuple):
        items = [_describe(item, buffers, depth - 1) for item in value]
        return {"tuple" if isinstance(value, tuple) else "list": items}
    if isinstance(value, dict):
        pairs = [[_describe(k, buffers, 3), _describe(v, buffers, depth - 1)] for k, v in value.items()]
        return {"dict": pairs}
    # By the names of the classes: of two copies of this file, one cannot know the other's.
    name = type(value).__name__
    if name == "Rng":
        return {"rng": value.seed}
    if name == "Kept":
        return {"kept": value.name}
    if name == "TensorInput":
        return {"tensor": [_describe_array(value.array, buffers), value.requires_grad]}
    if name in ("Tensor", "Parameter") and hasattr(value, "detach"):
        return {"array": _describe_array(np.asarray(value.detach().numpy()), buffers)}
    return {"unknown": f"{type(value).__name__}"}


def _describe_array(array: Any, buffers: list[bytes]) -> list[Any]:
    """dtype, shape, where its bytes begin, and how it lies in memory."""
    if array.dtype.kind not in KINDS:
        raise BadMessage(f"an array of dtype {array.dtype}")
    start = sum(map(len, buffers))
    buffers.append(array.tobytes())
    order = sorted(range(array.ndim), key=lambda axis: -abs(array.strides[axis]))
    strides = [stride for stride, size in zip(array.strides, array.shape, strict=True) if size > 1]
    gap = min(map(abs, strides), default=array.itemsize) // array.itemsize
    if array.flags.c_contiguous or not array.size or gap not in GAPS:
        order, strides, gap = list(range(array.ndim)), [], 1
    flipped = [axis for axis in range(array.ndim) if strides and array.strides[axis] < 0]
    return [array.dtype.str, list(array.shape), start, order, flipped, gap]


def _restore(node: Any, data: bytes) -> Any:
    if node is None or isinstance(node, bool | int | float | str):
        return node
    ((kind, inner),) = node.items()
    if kind in ("array", "scalar"):
        array = _restore_array(inner, data)
        return array if kind == "array" else array[()]
    if kind in ("list", "tuple"):
        items = [_restore(item, data) for item in inner]
        return items if kind == "list" else tuple(items)
    if kind == "dict":
        return {_restore(key, data): _restore(value, data) for key, value in inner}
    if kind == "rng":
        return Rng(int(inner))
    if kind == "kept":
        return Kept(str(inner))
    if kind == "tensor":
        return TensorInput(_restore_array(inner[0], data), bool(inner[1]))
    return Unknown(str(inner)[:100])


def _restore_array(described: Any, data: bytes) -> Any:
    """An array with the same values that lies in memory the same way."""
    name, shape, start, order, flipped, gap = described
    if not isinstance(name, str) or not DTYPE.fullmatch(name):
        raise ValueError("no dtype")
    dtype = np.dtype(name)
    sizes = [int(n) for n in shape]
    count = math.prod(sizes)
    if min(sizes, default=0) < 0 or count * dtype.itemsize > len(data) - start:
        raise ValueError("an array that is not there")
    if gap not in GAPS or sorted(order) != list(range(len(sizes))):
        raise ValueError("no layout")
    values = np.frombuffer(data, dtype, count, start).reshape(sizes)
    if gap == 1 and not flipped and order == sorted(order):
        return values.copy()
    lying = [sizes[axis] for axis in order]
    room = np.zeros([*lying[:-1], lying[-1] * gap] if lying else [], dtype)
    view = room[..., ::gap].transpose(np.argsort(order))
    view = view[tuple(slice(None, None, -1 if axis in flipped else 1) for axis in range(len(sizes)))]
    view[...] = values
    return view
