"""Functions that make new tensors."""

from __future__ import annotations

from math import inf
from typing import Any

import numpy as np

from tinyconv.device import (
    FLOAT_DTYPES,
    array_module,
    check_dtype,
    default_device,
    default_dtype,
    is_number,
    to_device,
)
from tinyconv.errors import ArgumentError, DtypeError
from tinyconv.ops._checks import LARGEST, check_flags, check_number, is_int
from tinyconv.recorder import repeated
from tinyconv.tensor import Tensor

NUMBERS = "float32, float64, an integer type or bool"


@repeated
def tensor(data: Any, dtype: Any = None, device: str | None = None, requires_grad: bool = False) -> Tensor:
    """A new tensor with a copy of `data` (numbers, nested lists, an array or a Tensor).

    Python floats get the default dtype, ints int64; arrays keep their dtype.

    Examples
    --------
    >>> import tinyconv as tc
    >>> tc.tensor([[1.0, 2.0], [3.0, 4.0]]).shape
    (2, 2)
    """
    check_flags("tensor", requires_grad=requires_grad)
    if isinstance(data, Tensor):
        data = data.array
    return _place(_as_array("tensor", data, dtype, copy=True), device, requires_grad)


def as_tensor(data: Any, dtype: Any = None, device: str | None = None) -> Tensor:
    """`data` as a tensor, without a copy where possible; a Tensor is returned as it is."""
    if isinstance(data, Tensor) and dtype is None and device is None:
        return data
    array = data.array if isinstance(data, Tensor) else data
    return _place(_as_array("as_tensor", array, dtype, copy=False), device, False)


def from_numpy(array: np.ndarray[Any, Any]) -> Tensor:
    """A tensor that shares memory with a NumPy array."""
    if not isinstance(array, np.ndarray):
        raise DtypeError("from_numpy", "array", f"a {type(array).__name__}", "a numpy.ndarray")
    if not is_number(array.dtype):
        raise DtypeError("from_numpy", "array", f"of dtype {array.dtype}", NUMBERS)
    return Tensor(array)


def _dtype(where: str, dtype: Any) -> np.dtype[Any]:
    """`dtype`, or the default one if it is None."""
    return default_dtype.get() if dtype is None else check_dtype(where, dtype)


def _as_array(where: str, data: Any, dtype: Any, copy: bool) -> Any:
    dtype = None if dtype is None else check_dtype(where, dtype)
    if type(data).__module__.startswith("cupy"):
        return data.astype(dtype or data.dtype, copy=copy)
    try:
        array = np.array(data, dtype=dtype) if copy else np.asarray(data, dtype=dtype)
    except (ValueError, TypeError) as error:
        raise ArgumentError(
            where, "data", type(data).__name__, f"numbers in a regular shape ({error})"
        ) from error
    if not is_number(array.dtype):
        raise DtypeError(where, "data", f"of dtype {array.dtype}", NUMBERS)
    made_from_python = not isinstance(data, np.ndarray | np.generic)
    if dtype is None and made_from_python and array.dtype.kind == "f":
        array = array.astype(default_dtype.get())
    return array


def _place(array: Any, device: str | None, requires_grad: bool) -> Tensor:
    on_cpu = array_module(array) is np
    target = default_device.get() if device is None and on_cpu else device
    if target is None or (on_cpu and isinstance(target, str) and target == "cpu"):
        return Tensor(array, requires_grad)
    return Tensor(to_device(array, target), requires_grad)


def _shape(where: str, sizes: tuple[Any, ...]) -> tuple[int, ...]:
    shape = tuple(sizes[0]) if len(sizes) == 1 and isinstance(sizes[0], list | tuple) else sizes
    if not all(is_int(n, 0) for n in shape):
        raise ArgumentError(where, "size", repr(shape), "ints >= 0")
    return tuple(int(n) for n in shape)


@repeated
def zeros(*size: Any, dtype: Any = None, device: str | None = None, requires_grad: bool = False) -> Tensor:
    """A tensor of zeros."""
    check_flags("zeros", requires_grad=requires_grad)
    return _place(np.zeros(_shape("zeros", size), _dtype("zeros", dtype)), device, requires_grad)


@repeated
def ones(*size: Any, dtype: Any = None, device: str | None = None, requires_grad: bool = False) -> Tensor:
    """A tensor of ones."""
    check_flags("ones", requires_grad=requires_grad)
    return _place(np.ones(_shape("ones", size), _dtype("ones", dtype)), device, requires_grad)


@repeated
def full(
    size: tuple[int, ...],
    fill_value: float,
    dtype: Any = None,
    device: str | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """A tensor with every element `fill_value`."""
    check_flags("full", requires_grad=requires_grad)
    if not isinstance(fill_value, bool):
        check_number("full", "fill_value", fill_value)
    if dtype is not None or isinstance(fill_value, float):
        dtype = _dtype("full", dtype)
    elif isinstance(fill_value, int) and not isinstance(fill_value, bool):
        dtype = np.dtype(np.int64)
    try:
        array = np.full(_shape("full", (size,)), fill_value, dtype)
    except OverflowError as error:
        raise ArgumentError("full", "fill_value", repr(fill_value), f"a number that fits {dtype}") from error
    return _place(array, device, requires_grad)


@repeated
def empty(*size: Any, dtype: Any = None, device: str | None = None, requires_grad: bool = False) -> Tensor:
    """A tensor whose values are whatever the memory holds: to be written to before it is read."""
    check_flags("empty", requires_grad=requires_grad)
    return _place(np.empty(_shape("empty", size), _dtype("empty", dtype)), device, requires_grad)


@repeated
def arange(
    start: float,
    end: float | None = None,
    step: float = 1,
    dtype: Any = None,
    device: str | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """Numbers from `start` (0 if only one is given) up to, not including, `end`."""
    check_flags("arange", requires_grad=requires_grad)
    first, last = (0, start) if end is None else (start, end)
    for argument, value in (("start", first), ("end", last), ("step", step)):
        if not abs(check_number("arange", argument, value)) < 2**62:
            raise ArgumentError("arange", argument, repr(value), "a number below 2**62")
    if step == 0 or (last - first) / step < 0:
        raise ArgumentError("arange", "step", step, f"a number that leads from {first} to {last}")
    if (last - first) / step > LARGEST:
        raise ArgumentError("arange", "end", last, f"at most {LARGEST} steps from {first}")
    dtype = None if dtype is None else check_dtype("arange", dtype)
    array: Any = np.arange(first, last, step)
    array = array if dtype is None else array.astype(dtype)
    if dtype is None and array.dtype not in FLOAT_DTYPES:
        return _place(array.astype(np.int64), device, requires_grad)
    return _place(array if dtype else array.astype(default_dtype.get()), device, requires_grad)


@repeated
def linspace(
    start: float,
    end: float,
    steps: int,
    dtype: Any = None,
    device: str | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """`steps` numbers at equal distances from `start` to `end`, both included.

    Examples
    --------
    >>> import tinyconv as tc
    >>> tc.linspace(0, 1, 5).tolist()
    [0.0, 0.25, 0.5, 0.75, 1.0]
    """
    check_flags("linspace", requires_grad=requires_grad)
    if not is_int(steps, 0):
        raise ArgumentError("linspace", "steps", repr(steps), "an int >= 0")
    for argument, value in (("start", start), ("end", end)):
        if not abs(check_number("linspace", argument, value)) < inf:
            raise ArgumentError("linspace", argument, repr(value), "a finite number")
    array = np.linspace(float(start), float(end), int(steps)).astype(_dtype("linspace", dtype))
    return _place(array, device, requires_grad)


@repeated
def eye(
    n: int,
    m: int | None = None,
    dtype: Any = None,
    device: str | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """A matrix (n, m), or (n, n), with ones on the diagonal."""
    check_flags("eye", requires_grad=requires_grad)
    rows, columns = _shape("eye", (n, n if m is None else m))
    return _place(np.eye(rows, columns, dtype=_dtype("eye", dtype)), device, requires_grad)
