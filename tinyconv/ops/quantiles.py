"""Medians and quantiles. The gradient goes to the numbers that were chosen."""

from __future__ import annotations

from typing import Any

from tinyconv.device import array_module, device_of, to_device
from tinyconv.errors import ArgumentError, ShapeError
from tinyconv.ops._checks import (
    check_choice,
    check_flags,
    check_float,
    check_number,
    check_positive,
    check_tensor,
    normalize_dim,
)
from tinyconv.ops.arrangement import movedim
from tinyconv.ops.elementwise import where
from tinyconv.ops.indexing import gathered
from tinyconv.ops.numpy_names import numpy_names
from tinyconv.ops.reduction import ValuesIndices
from tinyconv.ops.reduction import sum as sum_
from tinyconv.ops.shape import Index, reshape, squeeze
from tinyconv.ops.sorting import sort
from tinyconv.tensor import Tensor


@numpy_names
def median(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Any:
    """The middle number, of two middle ones the smaller; nan if one is nan, or there is none.

    Along `dim`, the pair (values, indices).

    Examples
    --------
    >>> import tinyconv as tc
    >>> tc.median(tc.tensor([3.0, 1.0, 7.0, 5.0])).item()
    3.0
    """
    check_flags("median", keepdim=keepdim)
    if dim is None and keepdim:
        raise ArgumentError("median", "keepdim", keepdim, "False where there is no dim")
    if dim is None:
        flat = reshape(check_tensor("median", "input", input), input.numel())
        if flat.numel() == 0 and flat.dtype.kind == "f":
            return sum_(flat) * float("nan")
        return _ranked("median", flat, 0, (flat.numel() - 1) // 2, False).values
    axis = normalize_dim("median", dim, check_tensor("median", "input", input).ndim)
    length = input.shape[axis] if input.ndim else 1
    return _ranked("median", input, axis, (length - 1) // 2, keepdim)


@numpy_names
def kthvalue(input: Tensor, k: int, dim: int = -1, keepdim: bool = False) -> ValuesIndices:
    """The pair (values, indices) of the k-th smallest numbers along `dim`; k counts from 1."""
    check_flags("kthvalue", keepdim=keepdim)
    axis = normalize_dim("kthvalue", dim, check_tensor("kthvalue", "input", input).ndim)
    length = input.shape[axis] if input.ndim else 1
    if check_positive("kthvalue", "k", k) > length:
        raise ArgumentError("kthvalue", "k", k, f"an int from 1 to {length}")
    return _ranked("kthvalue", input, axis, k - 1, keepdim)


def _ranked(op: str, input: Tensor, axis: int, rank: int, keepdim: bool) -> ValuesIndices:
    """The numbers with `rank` smaller ones; for a median nan, which is sorted to the end, if there is one."""
    if input.ndim and input.shape[axis] == 0:
        raise ShapeError(op, "input", f"of shape {input.shape}", "at least one element to choose from")
    values, indices = sort(reshape(input, 1) if input.ndim == 0 else input, axis)
    last = (slice(None),) * axis + (slice(-1, None),)
    place = array_module(values.array).full(values.array[last].shape, rank)
    if op == "median" and values.dtype.kind == "f":
        place[values.array[last] != values.array[last]] = values.shape[axis] - 1
    chosen = ValuesIndices(gathered(values, axis, Tensor(place)), gathered(indices, axis, Tensor(place)))
    if keepdim and input.ndim:
        return chosen
    return ValuesIndices(squeeze(chosen.values, axis), squeeze(chosen.indices, axis))


@numpy_names
def quantile(
    input: Tensor, q: Any, dim: int | None = None, keepdim: bool = False, *, interpolation: str = "linear"
) -> Tensor:
    """The number below which the share `q` of the numbers lies; nan if one is nan.

    Parameters
    ----------
    input : Tensor
    q : float or Tensor
        From 0 to 1; one number, or several of shape (n,), which come first in the result's shape.
    dim : int, optional
        Along which dimension; without it all numbers are taken.
    keepdim : bool
    interpolation : str
        Between two numbers: "linear", "lower", "higher", "nearest" or "midpoint".

    Examples
    --------
    >>> import tinyconv as tc
    >>> tc.quantile(tc.tensor([0.0, 1.0, 4.0]), tc.tensor([0.5, 0.75])).tolist()
    [1.0, 2.5]
    """
    check_flags("quantile", keepdim=keepdim)
    ways = ("linear", "lower", "higher", "nearest", "midpoint")
    check_choice("quantile", "interpolation", interpolation, ways)
    x = check_float("quantile", "input", input)
    axis = None if dim is None else normalize_dim("quantile", dim, x.ndim)
    place = 0 if axis is None else axis
    if x.numel() == 0:
        raise ShapeError("quantile", "input", f"of shape {x.shape}", "at least one element to choose from")
    number = q if isinstance(q, Tensor) else check_number("quantile", "q", q)
    shares = number.array if isinstance(number, Tensor) else array_module(x.array).asarray(number)
    if shares.ndim > 1 or not bool(((shares >= 0) & (shares <= 1)).all()):
        raise ArgumentError("quantile", "q", q, "a number from 0 to 1, or several of shape (n,)")
    flat = reshape(x, x.numel()) if axis is None or x.ndim == 0 else x
    rows = movedim(sort(flat, place).values, place, -1)
    result = _between(rows, to_device(shares.reshape(-1), device_of(x.array)), interpolation)
    result = where(Tensor(rows.array[..., -1:] != rows.array[..., -1:]), float("nan"), result)
    kept = tuple(1 if axis is None or d == axis else n for d, n in enumerate(x.shape))
    shape = kept if keepdim else rows.shape[:-1]
    return reshape(movedim(result, -1, 0), (*shares.shape, *shape))


def _between(rows: Tensor, shares: Any, interpolation: str) -> Tensor:
    """The quantiles of sorted rows (…, length), shape (…, quantiles)."""
    xp = array_module(rows.array)
    rank = shares * (rows.shape[-1] - 1)
    low, high = xp.floor(rank).astype("int64"), xp.ceil(rank).astype("int64")
    weights = {
        "linear": rank - low,
        "lower": 0 * rank,
        "higher": 0 * rank + 1,
        "nearest": xp.round(rank) - low,
        "midpoint": 0 * rank + 0.5,
    }
    below, above = (Index.apply(rows, (..., place)) for place in (low, high))
    return below + (above - below) * Tensor(weights[interpolation].astype(rows.dtype))
