"""Ops that cut tensors up, put them together and rearrange them, made of those in `shape`.

Each is linear and moves elements only; its gradient comes from the ops that it is made of.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tinyconv.device import array_module, on_its_gpu
from tinyconv.errors import ArgumentError, ShapeError
from tinyconv.ops._checks import (
    broadcast_shape,
    check_choice,
    check_int,
    check_positive,
    check_same_device,
    check_tensor,
    normalize_dim,
    normalize_dims,
)
from tinyconv.ops.elementwise import where
from tinyconv.ops.numpy_names import numpy_names
from tinyconv.ops.shape import _unpack, cat, expand, named_or_each, permute, reshape, unsqueeze
from tinyconv.tensor import Tensor


@numpy_names
def stack(tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    """Join tensors of one shape along a new dimension `dim`; dtypes as in `cat`.

    Examples
    --------
    >>> import tinyconv as tc
    >>> tc.stack([tc.zeros(3, 8, 8), tc.ones(3, 8, 8)]).shape
    (2, 3, 8, 8)
    """
    if not isinstance(tensors, list | tuple) or not tensors:
        raise ArgumentError("stack", "tensors", repr(tensors), "a list of at least one Tensor")
    check_same_device("stack", *tensors)
    first = check_tensor("stack", "tensors[0]", tensors[0])
    axis = normalize_dim("stack", dim, first.ndim + 1)
    for i, x in enumerate(tensors):
        if check_tensor("stack", f"tensors[{i}]", x).shape != first.shape:
            raise ShapeError("stack", f"tensors[{i}]", f"of shape {x.shape}", f"{first.shape}, as tensors[0]")
    return cat([unsqueeze(x, axis) for x in tensors], axis)


def split(input: Tensor, split_size_or_sections: int | Sequence[int], dim: int = 0) -> tuple[Tensor, ...]:
    """Cut along `dim` into parts of one size, the last one perhaps smaller, or of the given sizes.

    Examples
    --------
    >>> import tinyconv as tc
    >>> [part.tolist() for part in tc.split(tc.arange(5), 2)]
    [[0, 1], [2, 3], [4]]
    """
    axis = _axis("split", dim, input)
    length = input.shape[axis]
    if isinstance(split_size_or_sections, list | tuple):
        sizes = _unpack("split", "split_size_or_sections", (split_size_or_sections,))
        if sum(sizes) != length or any(n < 0 for n in sizes):
            raise ArgumentError("split", "split_size_or_sections", sizes, f"sizes that add up to {length}")
    else:
        size = check_positive("split", "split_size_or_sections", split_size_or_sections)
        sizes = tuple(min(size, length - start) for start in range(0, length, size)) or (0,)
    starts = [sum(sizes[:i]) for i in range(len(sizes))]
    return tuple(_part(input, axis, start, start + n) for start, n in zip(starts, sizes, strict=True))


@numpy_names
def chunk(input: Tensor, chunks: int, dim: int = 0) -> tuple[Tensor, ...]:
    """Cut along `dim` into at most `chunks` parts of one size, the last one perhaps smaller."""
    count, axis = check_positive("chunk", "chunks", chunks), _axis("chunk", dim, input)
    if input.shape[axis] == 0:
        return tuple(_part(input, axis, 0, 0) for _ in range(count))
    return split(input, -(-input.shape[axis] // count), axis)


@numpy_names
def unbind(input: Tensor, dim: int = 0) -> tuple[Tensor, ...]:
    """The slices along `dim`, without that dimension."""
    axis = _axis("unbind", dim, input)
    return tuple(input[(slice(None),) * axis + (i,)] for i in range(input.shape[axis]))


@numpy_names
def narrow(input: Tensor, dim: int, start: int, length: int) -> Tensor:
    """`length` slices along `dim`, from `start` on."""
    axis = _axis("narrow", dim, input)
    size = input.shape[axis]
    first, count = check_int("narrow", "start", start), check_int("narrow", "length", length)
    if not -size <= first <= size:
        raise ArgumentError("narrow", "start", start, f"an int from {-size} to {size}")
    first += size if first < 0 else 0
    if not 0 <= count <= size - first:
        raise ArgumentError("narrow", "length", length, f"an int from 0 to {size - first}")
    return _part(input, axis, first, first + count)


def flip(input: Tensor, *each: Any, dims: Any = None) -> Tensor:
    """The elements in reverse order along `dims`, which may also be given one by one."""
    axes = normalize_dims(
        "flip", named_or_each("flip", "dims", dims, each), check_tensor("flip", "input", input).ndim
    )
    return input[tuple(slice(None, None, -1) if i in axes else slice(None) for i in range(input.ndim))]


def roll(input: Tensor, shifts: int | Sequence[int], dims: int | Sequence[int] | None = None) -> Tensor:
    """The elements moved along `dims` by `shifts`; what leaves at one end enters at the other.

    Without `dims` the flattened tensor is rolled.

    Examples
    --------
    >>> import tinyconv as tc
    >>> tc.roll(tc.arange(5), 2).tolist()
    [3, 4, 0, 1, 2]
    """
    check_tensor("roll", "input", input)
    steps = _unpack("roll", "shifts", (shifts,))
    if dims is None:
        if len(steps) != 1:
            raise ArgumentError("roll", "shifts", shifts, "one int where dims is None")
        return reshape(_rolled(reshape(input, input.numel()), steps[0], 0), input.shape)
    axes = _unpack("roll", "dims", (dims,))
    if len(axes) != len(steps):
        raise ArgumentError("roll", "shifts", shifts, f"as many ints as dims = {dims}")
    for step, axis in zip(steps, axes, strict=True):
        input = _rolled(input, step, _axis("roll", axis, input))
    return input


@on_its_gpu
def tril(input: Tensor, diagonal: int = 0) -> Tensor:
    """The lower triangle of matrices (…, H, W), up to a `diagonal`; zeros above.

    Diagonal 0 goes through the corner (0, 0), 1 is the one above it, -1 the one below.
    """
    return _triangle("tril", "less_equal", input, diagonal)


@on_its_gpu
def triu(input: Tensor, diagonal: int = 0) -> Tensor:
    """The upper triangle of matrices (…, H, W), from a `diagonal` on; zeros below."""
    return _triangle("triu", "greater_equal", input, diagonal)


def repeat(input: Tensor, *repeats: Any) -> Tensor:
    """Copies side by side: ``repeats[i]`` of them along dimension i; new dimensions come in front.

    Examples
    --------
    >>> import tinyconv as tc
    >>> tc.tensor([1, 2]).repeat(2, 2).tolist()
    [[1, 2, 1, 2], [1, 2, 1, 2]]
    """
    counts = _unpack("repeat", "repeats", repeats)
    lead = len(counts) - check_tensor("repeat", "input", input).ndim
    if lead < 0 or any(n < 0 for n in counts):
        raise ArgumentError("repeat", "repeats", counts, f"at least {input.ndim} ints >= 0")
    sizes = (1,) * lead + input.shape
    apart = reshape(input, tuple(n for size in sizes for n in (1, size)))
    copies = expand(apart, tuple(n for pair in zip(counts, sizes, strict=True) for n in pair))
    return reshape(copies, tuple(count * size for count, size in zip(counts, sizes, strict=True)))


def tile(input: Tensor, *dims: Any) -> Tensor:
    """As `repeat`, with ones in front of `dims` where there are fewer than dimensions."""
    counts = _unpack("tile", "dims", dims)
    if any(n < 0 for n in counts):
        raise ArgumentError("tile", "dims", counts, "ints >= 0")
    return repeat(input, (1,) * (check_tensor("tile", "input", input).ndim - len(counts)) + counts)


@numpy_names
def repeat_interleave(input: Tensor, repeats: int, dim: int | None = None) -> Tensor:
    """Each slice along `dim` `repeats` times, one after the other; without `dim` each element.

    Examples
    --------
    >>> import tinyconv as tc
    >>> tc.repeat_interleave(tc.tensor([1, 2]), 2).tolist()
    [1, 1, 2, 2]
    """
    count = check_int("repeat_interleave", "repeats", repeats, 0)
    x = ravel(check_tensor("repeat_interleave", "input", input)) if dim is None else input
    axis = _axis("repeat_interleave", 0 if dim is None else dim, x)
    lead, rest = x.shape[: axis + 1], x.shape[axis + 1 :]
    copies = expand(unsqueeze(x, axis + 1), (*lead, count, *rest))
    return reshape(copies, (*lead[:-1], lead[-1] * count, *rest))


@numpy_names
def select(input: Tensor, dim: int, index: int) -> Tensor:
    """The slice number `index` along `dim`, without that dimension."""
    axis = _axis("select", dim, input)
    size = input.shape[axis]
    place = check_int("select", "index", index)
    if not -size <= place < size:
        raise ArgumentError("select", "index", index, f"an int from {-size} to {size - 1}")
    return input[(slice(None),) * axis + (place,)]


def movedim(input: Tensor, source: int | Sequence[int], destination: int | Sequence[int]) -> Tensor:
    """The dimensions `source` at the places `destination`, the others in their order.

    Examples
    --------
    >>> import tinyconv as tc
    >>> tc.movedim(tc.zeros(2, 3, 8, 9), 1, -1).shape
    (2, 8, 9, 3)
    """
    ndim = check_tensor("movedim", "input", input).ndim
    start = normalize_dims("movedim", _unpack("movedim", "source", (source,)), ndim)
    end = normalize_dims("movedim", _unpack("movedim", "destination", (destination,)), ndim)
    if len(start) != len(end):
        raise ArgumentError("movedim", "destination", destination, f"as many ints as source = {source}")
    places = dict(zip(end, start, strict=True))
    others = iter(d for d in range(ndim) if d not in start)
    return permute(input, tuple(places[d] if d in places else next(others) for d in range(ndim)))


def t(input: Tensor) -> Tensor:
    """A matrix transposed; a vector or a number as it is."""
    if check_tensor("t", "input", input).ndim > 2:
        raise ShapeError("t", "input", f"of shape {input.shape}", "at most two dimensions")
    return permute(input, tuple(reversed(range(input.ndim))))


def ravel(input: Tensor) -> Tensor:
    """All elements in one dimension."""
    return reshape(check_tensor("ravel", "input", input), input.numel())


def expand_as(input: Tensor, other: Tensor) -> Tensor:
    """`input` expanded to the shape of `other`."""
    shape = check_tensor("expand_as", "other", other).shape
    if broadcast_shape("expand_as", check_tensor("expand_as", "input", input).shape, shape) != shape:
        raise ShapeError("expand_as", "other", f"of shape {shape}", f"one that {input.shape} broadcasts to")
    return expand(input, shape)


def view_as(input: Tensor, other: Tensor) -> Tensor:
    """`input` reshaped to the shape of `other`."""
    size = check_tensor("view_as", "input", input).numel()
    if check_tensor("view_as", "other", other).numel() != size:
        raise ShapeError("view_as", "other", f"of shape {other.shape}", f"sizes for {size} elements")
    return reshape(input, other.shape)


def meshgrid(*tensors: Any, indexing: str = "ij") -> tuple[Tensor, ...]:
    """Coordinates of a grid: one tensor per axis, each repeated along the other axes.

    Parameters
    ----------
    *tensors : Tensor
        Shape (n_i,) or (), or one list of such tensors.
    indexing : str
        "ij": results have shape (n_0, n_1, …); "xy": the first two are exchanged.

    Examples
    --------
    >>> import tinyconv as tc
    >>> rows, columns = tc.meshgrid(tc.arange(2), tc.arange(3))
    >>> rows.tolist(), columns.tolist()
    ([[0, 0, 0], [1, 1, 1]], [[0, 1, 2], [0, 1, 2]])
    """
    axes = tuple(tensors[0]) if len(tensors) == 1 and isinstance(tensors[0], list | tuple) else tensors
    if not axes:
        raise ArgumentError("meshgrid", "tensors", "()", "at least one Tensor")
    check_same_device("meshgrid", *axes)
    check_choice("meshgrid", "indexing", indexing, ("ij", "xy"))
    for i, x in enumerate(axes):
        if check_tensor("meshgrid", f"tensors[{i}]", x).ndim > 1:
            raise ShapeError("meshgrid", f"tensors[{i}]", f"of shape {x.shape}", "(n,)")
    order = list(range(len(axes)))
    if indexing == "xy" and len(axes) > 1:
        order[:2] = [1, 0]
    open_grid = [
        reshape(x, tuple(x.numel() if d == place else 1 for d in range(len(axes))))
        for x, place in zip(axes, order, strict=True)
    ]
    shape = broadcast_shape("meshgrid", *(x.shape for x in open_grid))
    return tuple(expand(x, shape) for x in open_grid)


def _axis(op: str, dim: int, input: Tensor) -> int:
    """`dim` of a tensor that has at least one dimension, counted from the front."""
    if check_tensor(op, "input", input).ndim == 0:
        raise ShapeError(op, "input", "of shape ()", "at least one dimension")
    return normalize_dim(op, dim, input.ndim)


def _part(input: Tensor, axis: int, start: int, stop: int) -> Tensor:
    return input[(slice(None),) * axis + (slice(start, stop),)]


def _rolled(input: Tensor, step: int, axis: int) -> Tensor:
    length = input.shape[axis]
    middle = length - step % length if length else 0
    if middle == length:
        return input.clone()
    return cat([_part(input, axis, middle, length), _part(input, axis, 0, middle)], axis)


def _triangle(op: str, comparison: str, input: Tensor, diagonal: int) -> Tensor:
    if check_tensor(op, "input", input).ndim < 2:
        raise ShapeError(op, "input", f"of shape {input.shape}", "(…, H, W)")
    offset = check_int(op, "diagonal", diagonal)
    xp = array_module(input.array)
    row, column = xp.ogrid[: input.shape[-2], : input.shape[-1]]
    inside = Tensor(getattr(xp, comparison)(column - row, offset))
    return where(inside, input, Tensor(xp.zeros((), input.dtype)))
