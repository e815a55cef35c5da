"""Checks that ops make on their arguments before any kernel runs."""

from __future__ import annotations

from math import inf
from typing import Any

import numpy as np

from tinyconv.device import FLOAT_DTYPES, refuse_several_devices
from tinyconv.errors import ArgumentError, DtypeError, ShapeError
from tinyconv.tensor import Tensor


def check_tensor(op: str, argument: str, value: Any) -> Tensor:
    """`value`, which must be a Tensor."""
    if not isinstance(value, Tensor):
        raise DtypeError(op, argument, f"a {type(value).__name__}", "a Tensor (tc.tensor(...) makes one)")
    return value


def check_float(op: str, argument: str, value: Any) -> Tensor:
    """`value`, which must be a Tensor of float32 or float64."""
    if check_tensor(op, argument, value).dtype not in FLOAT_DTYPES:
        raise DtypeError(
            op, argument, f"of dtype {value.dtype}", "float32 or float64 (tensor.float() converts)"
        )
    return value


def check_same_device(op: str, *tensors: Any) -> None:
    """All tensors among these are on one device."""
    arrays = [x.array for x in tensors if isinstance(x, Tensor)]
    if {type(array) for array in arrays} != {np.ndarray}:
        refuse_several_devices(op, arrays)


def check_same_dtype(op: str, **tensors: Tensor | None) -> None:
    """All given tensors are on one device, and have one dtype."""
    check_same_device(op, *tensors.values())
    present = {name: x.dtype for name, x in tensors.items() if x is not None}
    if len(set(present.values())) > 1:
        shown = ", ".join(f"{name} {dtype}" for name, dtype in present.items())
        raise DtypeError(op, "the inputs' dtypes", f"({shown})", "all the same")


def check_ndim(op: str, argument: str, x: Tensor, ndim: int, layout: str) -> None:
    """`x` has `ndim` dimensions; `layout` says which, e.g. ``"(N, C, H, W)"``."""
    if x.ndim != ndim:
        raise ShapeError(op, argument, f"of shape {x.shape}", f"{ndim} dimensions {layout}")


LARGEST = 2**31 - 1
"""The largest int that is a size, a stride or a padding: arrays of more elements fit in no memory."""


def is_int(value: Any, low: float = -LARGEST, high: float = LARGEST) -> bool:
    """Whether `value` is an int, and no truth value, in this range."""
    return isinstance(value, int | np.integer) and not isinstance(value, bool) and low <= int(value) <= high


def check_flags(op: str, **flags: Any) -> None:
    """All are True or False: another value is nearly always an argument in the wrong place."""
    for argument, value in flags.items():
        if not isinstance(value, bool | np.bool_):
            raise ArgumentError(op, argument, repr(value), "True or False")


def int_tuple(
    op: str, argument: str, value: Any, length: int, minimum: int, one_for_all: bool = False
) -> tuple[int, ...]:
    """One int per spatial dimension: ``3`` means ``(3, 3)``, and with `one_for_all` so does ``(3,)``."""
    items = tuple(value) if isinstance(value, list | tuple) else (value,)
    if len(items) == 1 and (one_for_all or not isinstance(value, list | tuple)):
        items *= length
    if len(items) != length or not all(is_int(n, minimum) for n in items):
        kind = "a positive int" if minimum > 0 else "an int >= 0"
        raise ArgumentError(op, argument, repr(value), f"{kind}, or {length} of them")
    return tuple(int(n) for n in items)


def check_positive(op: str, argument: str, value: Any) -> int:
    """`value`, which must be an int >= 1."""
    if not is_int(value, 1):
        raise ArgumentError(op, argument, repr(value), "an int >= 1")
    return int(value)


def normalize_dim(op: str, dim: Any, ndim: int) -> int:
    """`dim` counted from the front, from 0 to ndim - 1."""
    if not is_int(dim, -max(ndim, 1), max(ndim, 1) - 1):
        raise ArgumentError(op, "dim", repr(dim), f"an int from {-max(ndim, 1)} to {max(ndim, 1) - 1}")
    return int(dim) % max(ndim, 1)


def normalize_dims(op: str, dim: Any, ndim: int) -> tuple[int, ...]:
    """The dims that a reduction runs over: None means all of them."""
    if dim is None:
        return tuple(range(ndim))
    dims = tuple(dim) if isinstance(dim, list | tuple) else (dim,)
    normal = tuple(normalize_dim(op, d, ndim) for d in dims)
    if len(set(normal)) != len(normal):
        raise ArgumentError(op, "dim", repr(dim), "each dimension at most once")
    return normal if ndim > 0 else ()


def reduced_dims(op: str, dim: Any, ndim: int) -> tuple[int, ...]:
    """As `normalize_dims`, but PyTorch's reductions run over all dimensions where none is given."""
    dims = normalize_dims(op, dim, ndim)
    return dims if dims else tuple(range(ndim))


def window_error(
    op: str,
    size: tuple[int, ...],
    kernel: tuple[int, ...],
    padding: tuple[int, ...],
    dilation: tuple[int, ...],
    wanted: tuple[int, ...],
) -> ShapeError:
    """What to raise where a window does not fit into an input of `size`; one of `wanted` is large enough."""
    padded = tuple(n + 2 * p for n, p in zip(size, padding, strict=True))
    found = f"{kernel} (dilation {dilation})"
    expected = f"at most the padded input, {padded}; it fits into an input of {wanted} or larger"
    return ShapeError(op, "kernel_size", found, expected)


def check_int(op: str, argument: str, value: Any, low: int = -LARGEST, high: int = LARGEST) -> int:
    """`value`, which must be one int from `low` to `high`."""
    if not is_int(value, low, high):
        whole = is_int(value, -inf, inf)
        expected = f"an int from {low} to {high}" if whole else "an int"
        raise ArgumentError(op, argument, repr(value), expected if low < 0 else f"an int >= {low}")
    return int(value)


def check_number(op: str, argument: str, value: Any) -> float:
    """`value`, which must be a real number."""
    numbers = int | float | np.integer | np.floating
    if not isinstance(value, numbers) or isinstance(value, bool):
        raise ArgumentError(op, argument, repr(value), "a number")
    try:
        return float(value)
    except OverflowError as error:
        raise ArgumentError(op, argument, repr(value), "a number that fits a float") from error


def check_choice(op: str, argument: str, value: Any, choices: tuple[str, ...]) -> str:
    """`value`, which must be one of `choices`."""
    if not isinstance(value, str) or value not in choices:
        raise ArgumentError(op, argument, repr(value), "one of " + ", ".join(map(repr, choices)))
    return str(value)


def broadcast_shape(op: str, *shapes: tuple[int, ...]) -> tuple[int, ...]:
    """The shape that arrays of these shapes broadcast to."""
    try:
        return np.broadcast_shapes(*shapes)
    except ValueError as error:
        shown = " and ".join(map(str, shapes))
        raise ShapeError(
            op, "the inputs' shapes", shown, "sizes that are equal or 1, from the right"
        ) from error
