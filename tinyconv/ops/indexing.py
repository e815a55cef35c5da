"""Taking elements by their numbers or a mask, and putting them back."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyconv.device import array_module, on_its_gpu
from tinyconv.errors import ArgumentError, DtypeError, ShapeError
from tinyconv.ops._checks import (
    broadcast_shape,
    check_flags,
    check_number,
    check_same_device,
    check_same_dtype,
    check_tensor,
    normalize_dim,
)
from tinyconv.ops.elementwise import Where
from tinyconv.ops.numpy_names import numpy_names
from tinyconv.ops.operands import astype
from tinyconv.ops.reduction import sum as sum_
from tinyconv.ops.shape import Index, IndexScatter, expand, reshape
from tinyconv.tensor import Tensor


@numpy_names
def gather(input: Tensor, dim: int, index: Tensor) -> Tensor:
    """``input[i][index[i][j][k]][k]`` for ``dim=1``: an element of its own for each place of the result.

    Parameters
    ----------
    input : Tensor
    dim : int
    index : Tensor
        Integers, of as many dimensions as `input`; but for `dim`, not larger than it.

    Examples
    --------
    >>> import tinyconv as tc
    >>> tc.gather(tc.tensor([[1, 2], [3, 4]]), 1, tc.tensor([[0, 0], [1, 0]])).tolist()
    [[1, 1], [4, 3]]
    """
    axis = normalize_dim("gather", dim, check_tensor("gather", "input", input).ndim)
    check_same_device("gather", input, index)
    _check_places("gather", index, input.shape, axis)
    if input.ndim == 0:
        return reshape(gather(reshape(input, 1), 0, reshape(index, 1)), ())
    return gathered(input, axis, index)


def gathered(input: Tensor, axis: int, index: Tensor) -> Tensor:
    """As `gather`, of numbers that need not be looked at: they are places."""
    taken: Tensor = Index.apply(input, _coordinates(index.array, axis))
    return taken


@numpy_names
def scatter_add(input: Tensor, dim: int, index: Tensor, src: Tensor) -> Tensor:
    """`input` with `src` added at the places where `gather` would take from; places may repeat.

    Parameters
    ----------
    input : Tensor
    dim : int
    index : Tensor
        Integers, as for `gather`; not larger than `src`, of which the first elements are added.
    src : Tensor

    Examples
    --------
    >>> import tinyconv as tc
    >>> tc.scatter_add(tc.zeros(3), 0, tc.tensor([0, 2, 0]), tc.tensor([1.0, 2.0, 4.0])).tolist()
    [5.0, 0.0, 2.0]
    """
    axis = normalize_dim("scatter_add", dim, check_tensor("scatter_add", "input", input).ndim)
    check_same_device("scatter_add", input, index, src)
    _check_places("scatter_add", index, input.shape, axis)
    _check_source("scatter_add", input, index, check_tensor("scatter_add", "src", src))
    if input.ndim == 0:
        return input + src
    used = src[tuple(slice(n) for n in index.shape)]
    return input + IndexScatter.apply(used, _coordinates(index.array, axis), input.shape)


@numpy_names
def scatter(input: Tensor, dim: int, index: Tensor, src: Any) -> Tensor:
    """`input` with `src`, a number or a tensor, put at the places where `gather` would take from.

    Where places repeat, one of the numbers is put there, and gets the gradient.

    Parameters
    ----------
    input : Tensor
    dim : int
    index : Tensor
        Integers, as for `gather`; not larger than `src`, of which the first elements are used.
    src : Tensor or number

    Examples
    --------
    >>> import tinyconv as tc
    >>> tc.scatter(tc.zeros(2, 3), 1, tc.tensor([[2], [0]]), 1).tolist()
    [[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]
    """
    axis = normalize_dim("scatter", dim, check_tensor("scatter", "input", input).ndim)
    check_same_device("scatter", input, index, src)
    _check_places("scatter", index, input.shape, axis)
    if input.ndim == 0:
        src = reshape(src, 1) if isinstance(src, Tensor) and src.ndim == 0 else src
        return reshape(scatter(reshape(input, 1), 0, reshape(index, 1), src), ())
    if not isinstance(src, Tensor):
        src = expand(_number("scatter", "src", src, input), index.shape)
    _check_source("scatter", input, index, src)
    xp, places = array_module(index.array), _coordinates(index.array, axis)
    winner = xp.full(input.shape, -1, dtype="int64")
    winner[places] = xp.arange(index.numel()).reshape(index.shape)
    used = reshape(src[tuple(slice(n) for n in index.shape)], index.numel())
    if index.numel() == 0:
        return input.clone() + sum_(used) if src.requires_grad else input.clone()
    return Where.apply(Tensor(winner >= 0), Index.apply(used, xp.maximum(winner, 0)), input)


@numpy_names
def index_select(input: Tensor, dim: int, index: Tensor) -> Tensor:
    """The slices along `dim` that `index`, integers of shape (n,), names.

    Examples
    --------
    >>> import tinyconv as tc
    >>> tc.index_select(tc.eye(3), 0, tc.tensor([2, 0])).tolist()
    [[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]
    """
    axis = normalize_dim("index_select", dim, check_tensor("index_select", "input", input).ndim)
    if input.ndim == 0:
        raise ShapeError("index_select", "input", "of shape ()", "at least one dimension")
    check_same_device("index_select", input, index)
    _check_integers("index_select", "index", index, input.shape[axis])
    if index.ndim > 1:
        raise ShapeError("index_select", "index", f"of shape {index.shape}", "(n,)")
    return Index.apply(input, (slice(None),) * axis + (index.array.reshape(-1),))


@numpy_names
def take_along_dim(input: Tensor, indices: Tensor, dim: int | None = None) -> Tensor:
    """As `gather`, with broadcasting of the other dimensions; as `argsort` and `argmax` number elements.

    Without `dim` both are flattened.
    """
    x = check_tensor("take_along_dim", "input", input)
    check_tensor("take_along_dim", "indices", indices)
    if dim is None:
        x, indices, dim = reshape(x, x.numel()), reshape(indices, indices.numel()), 0
    if x.ndim != indices.ndim or x.ndim == 0:
        shapes = f"{x.shape} and {indices.shape}"
        raise ShapeError("take_along_dim", "the inputs' shapes", shapes, "as many dimensions, at least one")
    axis = normalize_dim("take_along_dim", dim, x.ndim)
    check_same_device("take_along_dim", input, indices)
    _check_integers("take_along_dim", "indices", indices, x.shape[axis])
    others = broadcast_shape(
        "take_along_dim", *((*y.shape[:axis], 1, *y.shape[axis + 1 :]) for y in (x, indices))
    )
    wide, places = (expand(y, (*others[:axis], y.shape[axis], *others[axis + 1 :])) for y in (x, indices))
    return Index.apply(wide, _coordinates(places.array, axis))


@on_its_gpu
def masked_fill(input: Tensor, mask: Tensor, value: Any) -> Tensor:
    """`input` with `value`, one number, where `mask` (a bool tensor that broadcasts) holds.

    Examples
    --------
    >>> import tinyconv as tc
    >>> x = tc.tensor([1.0, -2.0, 3.0])
    >>> tc.masked_fill(x, x < 0, 0).tolist()
    [1.0, 0.0, 3.0]
    """
    check_tensor("masked_fill", "input", input)
    check_same_device("masked_fill", input, mask, value)
    _check_mask("masked_fill", mask)
    broadcast_shape("masked_fill", input.shape, mask.shape)
    if isinstance(value, Tensor):
        if value.ndim:
            raise ShapeError("masked_fill", "value", f"of shape {value.shape}", "a number, or shape ()")
        fill = astype(value, input.dtype)
    else:
        fill = _number("masked_fill", "value", value, input)
    return Where.apply(mask, fill, input)


def masked_select(input: Tensor, mask: Tensor) -> Tensor:
    """The elements where `mask`, a bool tensor, holds, in one dimension; both broadcast."""
    check_tensor("masked_select", "input", input)
    check_same_device("masked_select", input, mask)
    _check_mask("masked_select", mask)
    shape = broadcast_shape("masked_select", input.shape, mask.shape)
    return expand(input, shape)[expand(mask, shape)]


@on_its_gpu
def nonzero(input: Tensor, as_tuple: bool = False) -> Any:
    """Where the elements are that are not 0: an int64 tensor (n, dimensions), or one (n,) per dimension.

    Examples
    --------
    >>> import tinyconv as tc
    >>> tc.nonzero(tc.eye(2)).tolist()
    [[0, 0], [1, 1]]
    """
    check_flags("nonzero", as_tuple=as_tuple)
    array = check_tensor("nonzero", "input", input).array
    xp = array_module(array)
    if as_tuple:
        return tuple(Tensor(x) for x in xp.nonzero(array.reshape(array.shape or (1,))))
    return Tensor(xp.argwhere(array))


def _coordinates(index: Any, axis: int) -> tuple[Any, ...]:
    """The full coordinates of the elements that `index` names along `axis`."""
    grid = list(array_module(index).ogrid[tuple(slice(n) for n in index.shape)])
    grid[axis] = index
    return tuple(grid)


def _check_integers(op: str, argument: str, index: Any, length: int) -> None:
    if check_tensor(op, argument, index).dtype.kind not in "iu":
        raise DtypeError(op, argument, f"of dtype {index.dtype}", "integers")
    if index.numel() and (index.array.min() < 0 or index.array.max() >= length):
        wrong = index.array[(index.array < 0) | (index.array >= length)].reshape(-1)[0]
        raise ArgumentError(op, argument, f"{int(wrong)} somewhere", f"numbers from 0 to {length - 1}")


def _check_places(op: str, index: Any, shape: tuple[int, ...], axis: int) -> None:
    _check_integers(op, "index", index, shape[axis] if shape else 1)
    fits = index.ndim == len(shape) and all(
        n <= m for d, (n, m) in enumerate(zip(index.shape, shape, strict=True)) if d != axis
    )
    if not fits:
        raise ShapeError(op, "index", f"of shape {index.shape}", f"at most {shape} except in dim {axis}")


def _check_source(op: str, input: Tensor, index: Tensor, src: Tensor) -> None:
    check_same_dtype(op, input=input, src=src)
    if src.ndim != index.ndim or any(n > m for n, m in zip(index.shape, src.shape, strict=True)):
        raise ShapeError(op, "src", f"of shape {src.shape}", f"at least index's, {index.shape}")


def _number(op: str, argument: str, value: Any, input: Tensor) -> Tensor:
    """A number as a tensor of the dtype of `input`."""
    number = value if isinstance(value, bool) else check_number(op, argument, value)
    if input.dtype.kind != "f" and not float(number).is_integer():
        raise ArgumentError(op, argument, value, f"a whole number for {input.dtype}")
    return Tensor(array_module(input.array).asarray(number, dtype=input.dtype))


def _check_mask(op: str, mask: Any) -> None:
    if check_tensor(op, "mask", mask).dtype != np.bool_:
        raise DtypeError(op, "mask", f"of dtype {mask.dtype}", "a bool tensor")
