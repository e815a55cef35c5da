"""Ops that divide, join and widen dimensions, made of those in `shape` and `arrangement`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

from tinyconv.device import array_module, on_its_gpu
from tinyconv.errors import ArgumentError, ShapeError
from tinyconv.ops._checks import (
    broadcast_shape,
    check_int,
    check_positive,
    check_same_device,
    check_tensor,
    normalize_dim,
)
from tinyconv.ops.arrangement import movedim, split
from tinyconv.ops.numpy_names import numpy_names
from tinyconv.ops.shape import Index, _unpack, cat, expand, reshape, transpose
from tinyconv.tensor import Tensor


@numpy_names
def unflatten(input: Tensor, dim: int, sizes: Sequence[int]) -> Tensor:
    """The dimension `dim` divided into several of these `sizes`, one of which may be -1.

    Examples
    --------
    >>> import tinyconv as tc
    >>> tc.unflatten(tc.zeros(2, 12), 1, (3, -1)).shape
    (2, 3, 4)
    """
    axis = _axis("unflatten", dim, input)
    parts, length = _unpack("unflatten", "sizes", (sizes,)), input.shape[axis]
    known = prod(n for n in parts if n != -1)
    if parts.count(-1) == 1 and known > 0 and length % known == 0:
        parts = tuple(length // known if n == -1 else n for n in parts)
    if not parts or any(n < 0 for n in parts) or prod(parts) != length:
        raise ShapeError("unflatten", "sizes", parts, f"sizes whose product is {length}")
    return reshape(input, (*input.shape[:axis], *parts, *input.shape[axis + 1 :]))


@numpy_names
def tensor_split(input: Tensor, indices_or_sections: int | Sequence[int], dim: int = 0) -> tuple[Tensor, ...]:
    """Cut along `dim` into so many parts, the first ones perhaps longer by 1; or before the given indices.

    Examples
    --------
    >>> import tinyconv as tc
    >>> [part.tolist() for part in tc.tensor_split(tc.arange(5), 2)]
    [[0, 1, 2], [3, 4]]
    """
    axis = _axis("tensor_split", dim, input)
    length = input.shape[axis]
    if isinstance(indices_or_sections, list | tuple):
        places = _unpack("tensor_split", "indices_or_sections", (indices_or_sections,))
        cuts = [min(max(n + length if n < 0 else n, 0), length) for n in places]
        starts, ends = [0, *cuts], [*cuts, length]
        return tuple(input[_at(axis, a, max(a, b))] for a, b in zip(starts, ends, strict=True))
    count = check_int("tensor_split", "indices_or_sections", indices_or_sections, 1)
    size, longer = divmod(length, count)
    return split(input, [size + (i < longer) for i in range(count)], axis)


@on_its_gpu
def unfold(input: Tensor, dimension: int, size: int, step: int) -> Tensor:
    """Windows of `size` neighbours along `dimension`, one every `step`; their elements come last.

    It is a method of tensors; ``F.unfold`` makes columns of the windows of images.

    Examples
    --------
    >>> import tinyconv as tc
    >>> tc.arange(5).unfold(0, 3, 2).tolist()
    [[0, 1, 2], [2, 3, 4]]
    """
    axis = _axis("unfold", dimension, input)
    width, jump = check_positive("unfold", "size", size), check_positive("unfold", "step", step)
    if width > input.shape[axis]:
        raise ArgumentError("unfold", "size", size, f"an int from 1 to {input.shape[axis]}")
    xp = array_module(input.array)
    starts = xp.arange(0, input.shape[axis] - width + 1, jump)
    places = starts[:, None] + xp.arange(width)
    windows = Index.apply(input, (slice(None),) * axis + (places,))
    return movedim(windows, axis + 1, -1)


def hstack(tensors: Sequence[Tensor]) -> Tensor:
    """Tensors side by side: joined along dimension 1, vectors along 0."""
    parts = _parts("hstack", tensors, lambda x: reshape(x, 1) if x.ndim == 0 else x)
    return cat(parts, dim=0 if parts[0].ndim == 1 else 1)


def vstack(tensors: Sequence[Tensor]) -> Tensor:
    """Tensors below each other: joined along dimension 0, a vector counting as a row."""
    return cat(_parts("vstack", tensors, lambda x: reshape(x, 1, x.numel()) if x.ndim < 2 else x), dim=0)


def column_stack(tensors: Sequence[Tensor]) -> Tensor:
    """As `hstack`, but a vector counts as a column."""
    return cat(
        _parts("column_stack", tensors, lambda x: reshape(x, x.numel(), 1) if x.ndim < 2 else x), dim=1
    )


def broadcast_to(input: Tensor, size: Sequence[int]) -> Tensor:
    """`input` expanded to the shape `size`."""
    shape = _unpack("broadcast_to", "size", (size,))
    extra = len(shape) - check_tensor("broadcast_to", "input", input).ndim
    old = (1,) * extra + input.shape
    if extra < 0 or any((n not in (m, -1) and m != 1) or n < -1 for m, n in zip(old, shape, strict=True)):
        raise ShapeError("broadcast_to", "size", shape, f"sizes that {input.shape} broadcasts to")
    return expand(input, shape)


def broadcast_tensors(*tensors: Any) -> tuple[Tensor, ...]:
    """The tensors expanded to the shape that they broadcast to."""
    parts = _parts("broadcast_tensors", list(tensors), lambda x: x)
    shape = broadcast_shape("broadcast_tensors", *(x.shape for x in parts))
    return tuple(expand(x, shape) for x in parts)


def fliplr(input: Tensor) -> Tensor:
    """The elements in reverse order along dimension 1."""
    if check_tensor("fliplr", "input", input).ndim < 2:
        raise ShapeError("fliplr", "input", f"of shape {input.shape}", "at least two dimensions")
    return input[:, ::-1]


def flipud(input: Tensor) -> Tensor:
    """The elements in reverse order along dimension 0."""
    _axis("flipud", 0, input)
    return input[::-1]


def rot90(input: Tensor, k: int = 1, dims: Sequence[int] = (0, 1)) -> Tensor:
    """The picture in two dimensions turned by `k` times 90 degrees, from the first of `dims` to the second.

    Examples
    --------
    >>> import tinyconv as tc
    >>> tc.rot90(tc.tensor([[1, 2], [3, 4]])).tolist()
    [[2, 4], [1, 3]]
    """
    turns = check_int("rot90", "k", k)
    axes = tuple(_axis("rot90", dim, input) for dim in _unpack("rot90", "dims", (dims,)))
    if len(axes) != 2 or axes[0] == axes[1]:
        raise ArgumentError("rot90", "dims", dims, "two different dimensions")
    first, second = axes
    if turns % 4 == 0:
        return input.clone()
    if turns % 4 == 2:
        return input.flip(first, second)
    turned = transpose(input, first, second)
    return turned.flip(first if turns % 4 == 1 else second)


def _parts(op: str, tensors: Any, shaped: Callable[[Tensor], Tensor]) -> list[Tensor]:
    if not isinstance(tensors, list | tuple) or not tensors:
        raise ArgumentError(op, "tensors", repr(tensors), "a list of at least one Tensor")
    check_same_device(op, *tensors)
    return [shaped(check_tensor(op, f"tensors[{i}]", x)) for i, x in enumerate(tensors)]


def _at(axis: int, start: int, stop: int) -> tuple[slice, ...]:
    return (slice(None),) * axis + (slice(start, stop),)


def _axis(op: str, dim: int, input: Tensor) -> int:
    """`dim` of a tensor that has at least one dimension, counted from the front."""
    if check_tensor(op, "input", input).ndim == 0:
        raise ShapeError(op, "input", "of shape ()", "at least one dimension")
    return normalize_dim(op, dim, input.ndim)
