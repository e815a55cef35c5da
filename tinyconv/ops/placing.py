"""Whole slices put in, added or filled at places along one dimension."""

from __future__ import annotations

from typing import Any

from tinyconv.device import array_module
from tinyconv.errors import ShapeError
from tinyconv.ops._checks import (
    check_number,
    check_same_device,
    check_same_dtype,
    check_tensor,
    normalize_dim,
)
from tinyconv.ops.elementwise import Where
from tinyconv.ops.indexing import _check_integers, _number
from tinyconv.ops.numpy_names import numpy_names
from tinyconv.ops.reduction import sum as sum_
from tinyconv.ops.shape import Index, IndexScatter
from tinyconv.tensor import Tensor


@numpy_names
def index_add(input: Tensor, dim: int, index: Tensor, source: Tensor, *, alpha: float = 1) -> Tensor:
    """`input` with the slices of `source`, times `alpha`, added at the places `index` along `dim`.

    Parameters
    ----------
    input : Tensor
    dim : int
    index : Tensor
        Integers of shape (n,); places may repeat.
    source : Tensor
        As `input`, but of size n in `dim`.
    alpha : number

    Examples
    --------
    >>> import tinyconv as tc
    >>> tc.index_add(tc.zeros(3), 0, tc.tensor([2, 2]), tc.tensor([1.0, 5.0])).tolist()
    [0.0, 0.0, 6.0]
    """
    axis = _checked("index_add", input, dim, index)
    _check_source("index_add", input, axis, index, source)
    scaled = source if check_number("index_add", "alpha", alpha) == 1 else source * alpha
    return input + IndexScatter.apply(scaled, (slice(None),) * axis + (index.array,), input.shape)


@numpy_names
def index_copy(input: Tensor, dim: int, index: Tensor, source: Tensor) -> Tensor:
    """`input` with the slices of `source` in the places `index` along `dim`; of repeated ones the last."""
    axis = _checked("index_copy", input, dim, index)
    _check_source("index_copy", input, axis, index, source)
    if index.numel() == 0:
        return input + sum_(source)  # of nothing: 0, with a gradient for source
    xp = array_module(index.array)
    winner = xp.full(input.shape[axis], -1, dtype="int64")
    winner[index.array] = xp.arange(index.numel())
    chosen = Index.apply(source, (slice(None),) * axis + (xp.maximum(winner, 0),))
    return Where.apply(Tensor(_along(winner >= 0, axis, input.ndim)), chosen, input)


@numpy_names
def index_fill(input: Tensor, dim: int, index: Tensor, value: Any) -> Tensor:
    """`input` with `value`, one number, in the slices `index` along `dim`."""
    axis = _checked("index_fill", input, dim, index)
    if isinstance(value, Tensor):
        if value.ndim:
            raise ShapeError("index_fill", "value", f"of shape {value.shape}", "a number, or shape ()")
        check_same_dtype("index_fill", input=input, value=value)
    fill = value if isinstance(value, Tensor) else _number("index_fill", "value", value, input)
    chosen = array_module(index.array).zeros(input.shape[axis], "bool")
    chosen[index.array] = True
    return Where.apply(Tensor(_along(chosen, axis, input.ndim)), fill, input)


def _along(line: Any, axis: int, ndim: int) -> Any:
    """A line as an array that broadcasts along the other dimensions."""
    return line.reshape(tuple(-1 if d == axis else 1 for d in range(ndim)))


def _checked(op: str, input: Tensor, dim: int, index: Tensor) -> int:
    """`dim` counted from the front, for arguments that fit together."""
    if check_tensor(op, "input", input).ndim == 0:
        raise ShapeError(op, "input", "of shape ()", "at least one dimension")
    axis = normalize_dim(op, dim, input.ndim)
    check_same_device(op, input, index)
    _check_integers(op, "index", index, input.shape[axis])
    if index.ndim != 1:
        raise ShapeError(op, "index", f"of shape {index.shape}", "(n,)")
    return axis


def _check_source(op: str, input: Tensor, axis: int, index: Tensor, source: Tensor) -> None:
    check_same_dtype(op, input=input, source=check_tensor(op, "source", source))
    expected = (*input.shape[:axis], index.numel(), *input.shape[axis + 1 :])
    if source.shape != expected:
        raise ShapeError(op, "source", f"of shape {source.shape}", f"{expected}")
