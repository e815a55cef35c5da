"""Counting and looking up: results are numbers of elements and places, and no gradient passes."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyconv.device import array_module, on_its_gpu
from tinyconv.errors import ArgumentError, DtypeError, ShapeError
from tinyconv.ops._checks import (
    check_flags,
    check_int,
    check_number,
    check_positive,
    check_same_device,
    check_tensor,
    normalize_dim,
)
from tinyconv.tensor import Tensor


@on_its_gpu
def bincount(input: Tensor, weights: Tensor | None = None, minlength: int = 0) -> Tensor:
    """How often 0, 1, 2, … occur in a vector of integers >= 0; with `weights`, the sums of theirs.

    Examples
    --------
    >>> import tinyconv as tc
    >>> tc.bincount(tc.tensor([0, 2, 2]), minlength=4).tolist()
    [1, 0, 2, 0]
    """
    array = check_tensor("bincount", "input", input).array
    check_same_device("bincount", input, weights)
    if array.ndim != 1:
        raise ShapeError("bincount", "input", f"of shape {array.shape}", "(n,)")
    if array.dtype.kind not in "iu":
        raise DtypeError("bincount", "input", f"of dtype {array.dtype}", "integers")
    if array.size and array.min() < 0:
        raise ArgumentError("bincount", "input", f"{int(array.min())} somewhere", "numbers >= 0")
    least = check_int("bincount", "minlength", minlength, 0)
    if weights is not None and check_tensor("bincount", "weights", weights).shape != input.shape:
        raise ShapeError("bincount", "weights", f"of shape {weights.shape}", f"{input.shape}, as input")
    counts = array_module(array).bincount(array, None if weights is None else weights.array, least)
    return Tensor(counts if weights is None or weights.dtype.kind != "f" else counts.astype(weights.dtype))


@on_its_gpu
def histc(input: Tensor, bins: int = 100, min: float = 0, max: float = 0) -> Tensor:
    """How many numbers lie in each of `bins` equal parts of [min, max]; others are not counted.

    With ``min == max`` the range is that of the numbers.
    """
    array = check_tensor("histc", "input", input).array
    if array.dtype.kind != "f":
        raise DtypeError("histc", "input", f"of dtype {array.dtype}", "float32 or float64")
    low, high = check_number("histc", "min", min), check_number("histc", "max", max)
    count = check_positive("histc", "bins", bins)
    if low == high and array.size:
        low, high = float(array.min()), float(array.max())
    if low == high:
        low, high = low - 1, high + 1
    if not (np.isfinite(low) and np.isfinite(high) and low < high):
        raise ArgumentError("histc", "min and max", f"{low} and {high}", "finite numbers, min <= max")
    counts, _ = array_module(array).histogram(array, bins=count, range=(low, high))
    return Tensor(counts.astype(array.dtype))


@on_its_gpu
def unique(
    input: Tensor,
    sorted: bool = True,
    return_inverse: bool = False,
    return_counts: bool = False,
    dim: int | None = None,
) -> Any:
    """The different elements (along `dim`, the different slices), always sorted.

    Parameters
    ----------
    input : Tensor
    sorted : bool
        Without meaning: they are.
    return_inverse : bool
        Also return where each element of `input` is among them.
    return_counts : bool
        Also return how often each occurs.
    dim : int, optional

    Examples
    --------
    >>> import tinyconv as tc
    >>> values, counts = tc.unique(tc.tensor([3, 1, 3]), return_counts=True)
    >>> values.tolist(), counts.tolist()
    ([1, 3], [1, 2])
    """
    check_flags("unique", sorted=sorted, return_inverse=return_inverse, return_counts=return_counts)
    array = check_tensor("unique", "input", input).array
    axis = None if dim is None else normalize_dim("unique", dim, input.ndim)
    options: dict[str, Any] = {"return_inverse": bool(return_inverse), "return_counts": bool(return_counts)}
    found = array_module(array).unique(array, axis=axis, equal_nan=False, **options)
    parts = list(found) if isinstance(found, tuple) else [found]
    if return_inverse:
        parts[1] = parts[1].reshape(array.shape if axis is None else array.shape[axis])
    tensors = tuple(Tensor(part) for part in parts)
    return tensors if len(tensors) > 1 else tensors[0]


@on_its_gpu
def searchsorted(sorted_sequence: Tensor, input: Any, *, right: bool = False) -> Tensor:
    """The places where numbers would go into sorted ones, so that they stay sorted.

    Parameters
    ----------
    sorted_sequence : Tensor
        Shape (n,).
    input : Tensor or number
        Any shape, which the result has too.
    right : bool
        Whether an equal number goes behind those that are there.

    Examples
    --------
    >>> import tinyconv as tc
    >>> tc.searchsorted(tc.tensor([1, 3, 5]), tc.tensor([0, 3, 9])).tolist()
    [0, 1, 3]
    """
    check_same_device("searchsorted", sorted_sequence, input)
    array = check_tensor("searchsorted", "sorted_sequence", sorted_sequence).array
    if array.ndim != 1:
        raise ShapeError("searchsorted", "sorted_sequence", f"of shape {array.shape}", "(n,)")
    return _places("searchsorted", array, input, right)


@on_its_gpu
def bucketize(input: Any, boundaries: Tensor, *, right: bool = False) -> Tensor:
    """The number of the interval between sorted `boundaries`, (n,), in which each number lies."""
    array = check_tensor("bucketize", "boundaries", boundaries).array
    check_same_device("bucketize", input, boundaries)
    if array.ndim != 1:
        raise ShapeError("bucketize", "boundaries", f"of shape {array.shape}", "(n,)")
    return _places("bucketize", array, input, right)


def _places(op: str, line: Any, input: Any, right: bool) -> Tensor:
    check_flags(op, right=right)
    values = input.array if isinstance(input, Tensor) else check_number(op, "input", input)
    xp = array_module(line)
    return Tensor(xp.asarray(xp.searchsorted(line, values, "right" if right else "left"), dtype="int64"))


@on_its_gpu
def isin(elements: Tensor, test_elements: Tensor) -> Tensor:
    """Where an element is among `test_elements`."""
    a, b = check_tensor("isin", "elements", elements), check_tensor("isin", "test_elements", test_elements)
    check_same_device("isin", a, b)
    return Tensor(array_module(a.array).isin(a.array, b.array))
