"""What the metrics take: arrays of the right kind and shape, or an error that names what came."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyconv.errors import ArgumentError, DtypeError, ShapeError

Array = Any


def numbers(where: str, name: str, value: Any) -> Array:
    """`value` as an array of real numbers.

    Raises
    ------
    DtypeError
        If it holds something else, or rows of several lengths.
    """
    try:
        held = getattr(value, "array", value)
        array = np.asarray(held.get() if hasattr(held, "get") and hasattr(held, "dtype") else held)
    except ValueError as error:
        raise DtypeError(where, name, f"a {type(value).__name__} of uneven rows", "an array") from error
    if array.dtype.kind not in "biuf":
        raise DtypeError(where, name, f"of dtype {array.dtype}", "an array of numbers")
    return array


def finite(where: str, name: str, value: Any) -> Array:
    """`value` as a float64 array without NaN and infinities.

    Raises
    ------
    ArgumentError
        If one is in it.
    """
    array = numbers(where, name, value).astype(np.float64)
    if not np.isfinite(array).all():
        raise ArgumentError(where, name, "not finite everywhere", "finite numbers")
    return array


def labels(where: str, name: str, value: Any, classes: int | None = None) -> Array:
    """`value` as an array of whole numbers from 0, below `classes` if that is given.

    Raises
    ------
    DtypeError
        If the dtype is not an integer one (or bool).
    ArgumentError
        If a label is negative or too large.
    """
    array = numbers(where, name, value)
    if array.dtype.kind == "f":
        raise DtypeError(where, name, f"of dtype {array.dtype}", "labels, an array of integers")
    array = array.astype(np.int64, copy=False)
    if array.size and (array.min() < 0 or (classes is not None and array.max() >= classes)):
        wanted = ">= 0" if classes is None else f"from 0 to {classes - 1}"
        raise ArgumentError(where, name, f"with labels from {array.min()} to {array.max()}", wanted)
    return array


def mask(where: str, name: str, value: Any) -> Array:
    """`value` as a bool array; it must hold nothing but 0 and 1 (or False and True).

    Raises
    ------
    ArgumentError
        If another number is in it.
    """
    array = numbers(where, name, value)
    if array.dtype != np.bool_ and not ((array == 0) | (array == 1)).all():
        raise ArgumentError(where, name, "with other values than 0 and 1", "a mask, e.g. probability >= 0.5")
    return array.astype(np.bool_)


def same_shape(where: str, first: Array, name: str, second: Array) -> None:
    """Refuse two arrays of different shapes; `name` is the second's."""
    if first.shape != second.shape:
        raise ShapeError(where, name, f"of shape {second.shape}", f"{first.shape}")


def not_empty(where: str, name: str, array: Array) -> None:
    """Refuse an array without elements, of which no mean exists."""
    if array.size == 0:
        raise ShapeError(where, name, f"of shape {array.shape}", "at least one element")


def whole(where: str, name: str, value: Any, low: int, high: int | None = None) -> int:
    """`value` if it is a whole number from `low` to `high`.

    Raises
    ------
    ArgumentError
        If it is not.
    """
    fits = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if not fits or value < low or (high is not None and value > high):
        wanted = f">= {low}" if high is None else f"from {low} to {high}"
        raise ArgumentError(where, name, repr(value), f"a whole number {wanted}")
    return int(value)


def spacing(where: str, value: Any, dimensions: int) -> tuple[float, ...]:
    """The distance of neighbouring pixels along each dimension; one number stands for all.

    Raises
    ------
    ArgumentError
        If they are not positive and finite, or not one per dimension.
    """
    array = finite(where, "spacing", value)
    if array.ndim == 0:
        array = np.full(dimensions, float(array))
    if array.shape != (dimensions,) or (array <= 0).any():
        raise ArgumentError(where, "spacing", value, f"a positive number, or {dimensions} of them")
    return tuple(array.tolist())
