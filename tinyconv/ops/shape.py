"""Ops that move elements without computing: reshape, permute, expand, cat, slicing.

Each is linear, and its gradient is its adjoint: reshape back, permute back, sum what was
repeated, slice what was joined, and put back (`IndexScatter`) what was taken.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np

from tinyconv.autograd import Function
from tinyconv.device import array_module, device_of, to_device, uint8
from tinyconv.errors import ArgumentError, DtypeError, ShapeError
from tinyconv.kernels import shape as kernels
from tinyconv.ops._checks import check_same_device, check_tensor, is_int, normalize_dim, normalize_dims
from tinyconv.ops.numpy_names import numpy_names
from tinyconv.recorder import repeated
from tinyconv.tensor import Tensor


class Reshape(Function):
    """y = the elements of x, in row-major order, in another shape."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, shape: tuple[int, ...]) -> Any:
        ctx.shape = x.shape
        return x.array.reshape(shape)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        return Reshape.apply(grad, ctx.shape), None


class Permute(Function):
    """y = x with its dimensions in another order."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, dims: tuple[int, ...]) -> Any:
        ctx.inverse = tuple(dims.index(i) for i in range(len(dims)))
        return x.array.transpose(dims)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        return Permute.apply(grad, ctx.inverse), None


class Copy(Function):
    """y = x in memory of its own, in row-major order if asked for."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, order: str) -> Any:
        return x.array.copy(order)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        return grad, None


class Expand(Function):
    """y = x repeated along dimensions of size 1; adjoint of summing over them."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, shape: tuple[int, ...]) -> Any:
        ctx.shape = x.shape
        return array_module(x.array).broadcast_to(x.array, shape)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        from tinyconv.ops.operands import unbroadcast

        return unbroadcast(grad, ctx.shape), None


class Cat(Function):
    """y = the inputs, one after the other along one dimension."""

    @staticmethod
    def forward(ctx: Any, dim: int, *inputs: Tensor) -> Any:
        ctx.dim, ctx.sizes = dim, [x.shape[dim] for x in inputs]
        return kernels.cat([x.array for x in inputs], dim)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        grads, start = [], 0
        for size in ctx.sizes:
            grads.append(grad[(slice(None),) * ctx.dim + (slice(start, start + size),)])
            start += size
        return None, *grads


class Index(Function):
    """y = x[index], with NumPy's meaning of index."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, index: Any) -> Any:
        ctx.index, ctx.shape = _own(index) if ctx.needs_input_grad[0] else None, x.shape
        y = x.array[index]
        if type(y) is not type(x.array):  # NumPy copies a single element; with an Ellipsis it is a view
            y = x.array[(*index, ...) if isinstance(index, tuple) else (index, ...)]
        return y

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        return IndexScatter.apply(grad, ctx.index, ctx.shape), None


class IndexScatter(Function):
    """y = zeros of `shape` with x added at `index`; adjoint of `Index`."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, index: Any, shape: tuple[int, ...]) -> Any:
        ctx.index = _own(index) if ctx.needs_input_grad[0] else None
        return kernels.index_scatter(x.array, index, shape)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        return Index.apply(grad, ctx.index), None, None


def _own(index: Any) -> Any:
    """The index with copies of its arrays, which may be changed before backward."""
    if isinstance(index, tuple):
        return tuple(_own(part) for part in index)
    return index.copy() if hasattr(index, "strides") else index


def reshape(input: Tensor, *shape: Any) -> Tensor:
    """The same elements in another shape; one size may be -1.

    Examples
    --------
    >>> import tinyconv as tc
    >>> tc.arange(6).reshape(2, -1).shape
    (2, 3)
    """
    sizes = _unpack("reshape", "shape", shape)
    known = prod(n for n in sizes if n != -1)
    total = check_tensor("reshape", "input", input).numel()
    if sizes.count(-1) == 1 and known > 0 and total % known == 0:
        sizes = tuple(total // known if n == -1 else n for n in sizes)
    if any(n < 0 for n in sizes) or prod(sizes) != total:
        raise ShapeError("reshape", "shape", sizes, f"sizes for the {total} elements of {input.shape}")
    return Reshape.apply(input, sizes)


def permute(input: Tensor, *each: Any, dims: Any = None) -> Tensor:
    """The dimensions in the order `dims`, which may also be given one by one."""
    check_tensor("permute", "input", input)
    order = named_or_each("permute", "dims", dims, each)
    if len(order) != input.ndim or len(normalize_dims("permute", order, input.ndim)) != input.ndim:
        raise ArgumentError("permute", "dims", order, f"each of the {input.ndim} dimensions once")
    return Permute.apply(input, tuple(d % input.ndim for d in order))


def transpose(input: Tensor, dim0: int, dim1: int) -> Tensor:
    """Two dimensions exchanged."""
    order = list(range(check_tensor("transpose", "input", input).ndim))
    i, j = normalize_dim("transpose", dim0, input.ndim), normalize_dim("transpose", dim1, input.ndim)
    order[i], order[j] = order[j], order[i]
    return Permute.apply(input, tuple(order))


def expand(input: Tensor, *sizes: Any) -> Tensor:
    """Repeat dimensions of size 1, without copying; -1 keeps a size."""
    shape = _unpack("expand", "size", sizes)
    lead = len(shape) - check_tensor("expand", "input", input).ndim
    if lead >= 0:
        shape = tuple(input.shape[i - lead] if n == -1 and i >= lead else n for i, n in enumerate(shape))
    fits = lead >= 0 and all(m in (1, n) and n >= 0 for m, n in zip(input.shape, shape[lead:], strict=True))
    if not fits or any(n < 0 for n in shape):
        raise ShapeError("expand", "size", shape, f"sizes that {input.shape} broadcasts to")
    return Expand.apply(input, shape)


def flatten(input: Tensor, start_dim: int = 0, end_dim: int = -1) -> Tensor:
    """Join the dimensions from `start_dim` to `end_dim` into one."""
    first = normalize_dim("flatten", start_dim, check_tensor("flatten", "input", input).ndim)
    last = normalize_dim("flatten", end_dim, input.ndim)
    if first > last:
        raise ArgumentError("flatten", "start_dim", start_dim, f"at most end_dim = {end_dim}")
    middle = prod(input.shape[first : last + 1])
    return Reshape.apply(input, (*input.shape[:first], middle, *input.shape[last + 1 :]))


@numpy_names
def squeeze(input: Tensor, dim: int | tuple[int, ...] | None = None) -> Tensor:
    """Drop dimensions of size 1: all, or only `dim`, which may be several."""
    dims = normalize_dims("squeeze", dim, check_tensor("squeeze", "input", input).ndim)
    return Reshape.apply(input, tuple(n for i, n in enumerate(input.shape) if n != 1 or i not in dims))


@numpy_names
def unsqueeze(input: Tensor, dim: int) -> Tensor:
    """Insert a dimension of size 1 at `dim`."""
    i = normalize_dim("unsqueeze", dim, check_tensor("unsqueeze", "input", input).ndim + 1)
    return Reshape.apply(input, (*input.shape[:i], 1, *input.shape[i:]))


def clone(input: Tensor) -> Tensor:
    """A copy, in the same memory order, that is part of the graph."""
    return Copy.apply(check_tensor("clone", "input", input), "K")


def contiguous(input: Tensor, memory_format: str = "contiguous_format") -> Tensor:
    """The tensor with its elements in row-major order in memory; a copy if they were not.

    With ``memory_format=tc.channels_last``, (N, C, H, W) lies in memory as N, H, W, C, which the
    kernels like best; the shape stays what it is.
    """
    if is_contiguous(check_tensor("contiguous", "input", input), memory_format):
        return input
    if memory_format == "channels_last":
        return permute(Copy.apply(permute(input, 0, 2, 3, 1), "C"), 0, 3, 1, 2)
    return Copy.apply(input, "C")


def is_contiguous(input: Tensor, memory_format: str = "contiguous_format") -> bool:
    """Whether the elements lie in memory in the order that `memory_format` names."""
    formats = ("contiguous_format", "channels_last", "preserve_format")
    if not isinstance(memory_format, str) or memory_format not in formats:
        expected = "tc.contiguous_format, tc.channels_last or tc.preserve_format"
        raise ArgumentError("contiguous", "memory_format", repr(memory_format), expected)
    if memory_format != "channels_last":
        return memory_format == "preserve_format" or bool(input.array.flags.c_contiguous)
    if input.ndim != 4:
        raise ShapeError("contiguous", "input", f"of shape {input.shape}", "(N, C, H, W) for channels_last")
    return bool(input.array.transpose(0, 2, 3, 1).flags.c_contiguous)


@numpy_names
def cat(tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    """Join tensors along dimension `dim`; the other sizes must agree.

    Of several dtypes the result has the one that can hold all, as the sum of such tensors would.

    Examples
    --------
    >>> import tinyconv as tc
    >>> tc.cat([tc.zeros(1, 2, 4, 4), tc.zeros(1, 3, 4, 4)], dim=1).shape
    (1, 5, 4, 4)
    """
    if not isinstance(tensors, list | tuple) or not tensors:
        raise ArgumentError("cat", "tensors", repr(tensors), "a list of at least one Tensor")
    check_same_device("cat", *tensors)
    first = check_tensor("cat", "tensors[0]", tensors[0])
    if first.ndim == 0:
        raise ShapeError("cat", "tensors[0]", f"of shape {first.shape}", "at least one dimension")
    axis = normalize_dim("cat", dim, first.ndim)
    for i, x in enumerate(tensors[1:], start=1):
        check_tensor("cat", f"tensors[{i}]", x)
        if x.ndim != first.ndim or any(
            m != n for d, (m, n) in enumerate(zip(x.shape, first.shape, strict=True)) if d != axis
        ):
            raise ShapeError(
                "cat", f"tensors[{i}]", f"of shape {x.shape}", f"{first.shape} except in dim {axis}"
            )
    if len({x.dtype for x in tensors}) > 1:
        from tinyconv.ops.operands import of_one_dtype

        tensors = of_one_dtype(tensors)
    return Cat.apply(axis, *tensors)


def index(input: Tensor, key: Any) -> Tensor:
    """``input[key]``: ints, slices, None, Ellipsis, integer arrays and boolean masks."""
    check_tensor("index", "input", input)
    plain = _as_numpy_index(key, input)
    try:
        return Index.apply(input, plain)
    except (IndexError, ValueError, TypeError) as error:
        raise ArgumentError("index", "key", repr(key), f"an index into {input.shape} ({error})") from error


@repeated
def assign(input: Tensor, key: Any, value: Any) -> None:
    """``input[key] = value``, in place, for tensors outside the graph."""
    input._check_writable("assignment to a part of a tensor", value)
    plain = _as_numpy_index(key, input)
    try:
        input.array[plain] = value.array if isinstance(value, Tensor) else value
    except (IndexError, ValueError, TypeError) as error:
        raise ArgumentError(
            "assignment", "the index or value", repr(key), f"one that fits {input.shape} ({error})"
        ) from error


def _as_numpy_index(key: Any, input: Tensor) -> Any:
    """The arrays in `key`, on the device of `input`."""
    if isinstance(key, tuple):
        return tuple(_as_numpy_index(k, input) for k in key)
    array = key.array if isinstance(key, Tensor) else key
    if getattr(array, "dtype", None) == uint8:
        raise DtypeError("index", "key", "of dtype uint8", "bool for a mask, int64 for places")
    if type(array) is np.ndarray and type(input.array) is not np.ndarray:
        return to_device(array, device_of(input.array))
    return array


def named_or_each(op: str, argument: str, named: Any, each: tuple[Any, ...]) -> tuple[int, ...]:
    """Accept ``f(x, dims=(2, 3))`` next to what `_unpack` does, but not both."""
    if named is not None and each:
        raise ArgumentError(op, argument, repr(named), "given once, by name or in order")
    return _unpack(op, argument, each if named is None else (named,))


def _unpack(op: str, argument: str, sizes: tuple[Any, ...]) -> tuple[int, ...]:
    """Accept both ``f(x, 2, 3)`` and ``f(x, (2, 3))``."""
    if len(sizes) == 1 and isinstance(sizes[0], list | tuple):
        sizes = tuple(sizes[0])
    whole = tuple(n.item() if isinstance(n, Tensor) and n.ndim == 0 else n for n in sizes)
    if not all(map(is_int, whole)):
        raise ArgumentError(op, argument, repr(sizes), "ints")
    return tuple(map(int, whole))
