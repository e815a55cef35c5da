"""Checks that ops make on their arguments before any kernel runs."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyconv.device import FLOAT_DTYPES
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


def check_same_dtype(op: str, **tensors: Tensor | None) -> None:
    """All given tensors have one dtype."""
    present = {name: x.dtype for name, x in tensors.items() if x is not None}
    if len(set(present.values())) > 1:
        shown = ", ".join(f"{name} {dtype}" for name, dtype in present.items())
        raise DtypeError(op, "the inputs' dtypes", f"({shown})", "all the same")


def check_ndim(op: str, argument: str, x: Tensor, ndim: int, layout: str) -> None:
    """`x` has `ndim` dimensions; `layout` says which, e.g. ``"(N, C, H, W)"``."""
    if x.ndim != ndim:
        raise ShapeError(op, argument, f"of shape {x.shape}", f"{ndim} dimensions {layout}")


def int_tuple(op: str, argument: str, value: Any, length: int, minimum: int) -> tuple[int, ...]:
    """One int per spatial dimension: ``3`` means ``(3, 3)``."""
    items = tuple(value) if isinstance(value, list | tuple) else (value,) * length
    valid = len(items) == length and all(
        isinstance(n, int | np.integer) and not isinstance(n, bool) and n >= minimum for n in items
    )
    if not valid:
        kind = "a positive int" if minimum > 0 else "an int >= 0"
        raise ArgumentError(op, argument, repr(value), f"{kind}, or {length} of them")
    return tuple(int(n) for n in items)


def check_positive(op: str, argument: str, value: Any) -> int:
    """`value`, which must be an int >= 1."""
    if not isinstance(value, int | np.integer) or isinstance(value, bool) or value < 1:
        raise ArgumentError(op, argument, repr(value), "an int >= 1")
    return int(value)


def normalize_dim(op: str, dim: Any, ndim: int) -> int:
    """`dim` counted from the front, from 0 to ndim - 1."""
    if not isinstance(dim, int | np.integer) or not -max(ndim, 1) <= dim < max(ndim, 1):
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


def check_number(op: str, argument: str, value: Any) -> float:
    """`value`, which must be a real number."""
    if not isinstance(value, int | float | np.integer | np.floating) or isinstance(value, bool):
        raise ArgumentError(op, argument, repr(value), "a number")
    return float(value)


def check_choice(op: str, argument: str, value: Any, choices: tuple[str, ...]) -> str:
    """`value`, which must be one of `choices`."""
    if value not in choices:
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
