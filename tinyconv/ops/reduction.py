"""Sums, means, largest and smallest values over dimensions."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any, NamedTuple

from tinyconv.autograd import Function
from tinyconv.device import array_module, check_dtype, int64
from tinyconv.errors import DtypeError, ShapeError
from tinyconv.kernels import reduction as kernels
from tinyconv.ops._checks import check_flags, check_tensor, normalize_dim, reduced_dims
from tinyconv.ops.numpy_names import numpy_names
from tinyconv.ops.shape import expand, reshape
from tinyconv.tensor import Tensor

Dims = int | tuple[int, ...] | None


class ValuesIndices(NamedTuple):
    """What `max` along a dimension returns: the values, and where they are."""

    values: Tensor
    indices: Tensor


class Sum(Function):
    """y = the sum over some dimensions; its adjoint repeats the gradient along them."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, dims: tuple[int, ...], keepdim: bool) -> Any:
        ctx.shape = x.shape
        ctx.kept_shape = tuple(1 if i in dims else n for i, n in enumerate(x.shape))
        total = array_module(x.array).asarray(kernels.sum(x.array, dims, keepdim))
        return total if total.dtype == x.dtype else total.astype(x.dtype)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        return expand(reshape(grad, ctx.kept_shape), ctx.shape), None, None


class Max(Function):
    """y = the largest value along some dimensions.

    The gradient goes to the elements that are the maximum; ties share it equally.
    """

    kernel = staticmethod(kernels.max)

    @staticmethod
    def forward(ctx: Any, x: Tensor, dims: tuple[int, ...], keepdim: bool) -> Any:
        module = array_module(x.array)
        chosen = module.asarray(ctx.kernel(x.array, dims, True))
        if ctx.needs_input_grad[0]:
            hits = (x.array == chosen) | (x.array != x.array)  # where there is a NaN, NaN is chosen
            ctx.save_for_backward((hits / hits.sum(dims, keepdims=True)).astype(x.dtype))
        ctx.kept_shape = chosen.shape
        return chosen if keepdim else chosen.reshape([n for i, n in enumerate(x.shape) if i not in dims])

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        (share,) = ctx.saved_tensors
        return reshape(grad, ctx.kept_shape) * share, None, None


class Min(Max):
    """y = the smallest value along some dimensions; gradients as those of `Max`."""

    kernel = staticmethod(kernels.min)


@numpy_names
def sum(input: Tensor, dim: Dims = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """The sum over all dimensions, or over `dim`, in `dtype` if that is given; integers add up in int64."""
    check_flags("sum", keepdim=keepdim)
    x = _converted("sum", input, dtype)
    return Sum.apply(x, reduced_dims("sum", dim, x.ndim), bool(keepdim))


def _converted(op: str, input: Tensor, dtype: Any) -> Tensor:
    """`input` in `dtype`, if that is given; small integers, which would overflow, in int64."""
    check_tensor(op, "input", input)
    if dtype is None and (input.dtype.kind == "f" or input.dtype == int64 or op == "mean"):
        return input
    from tinyconv.ops.operands import astype

    return astype(input, int64 if dtype is None else check_dtype(op, dtype))


@numpy_names
def mean(input: Tensor, dim: Dims = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """The mean over all dimensions, or over `dim`, in `dtype` if that is given."""
    check_flags("mean", keepdim=keepdim)
    input = _converted("mean", input, dtype)
    if check_tensor("mean", "input", input).dtype.kind != "f":
        raise DtypeError("mean", "input", f"of dtype {input.dtype}", "a floating-point type")
    dims = reduced_dims("mean", dim, input.ndim)
    count = prod(input.shape[d] for d in dims)
    total = Sum.apply(input, dims, bool(keepdim))
    return total / count if count else total * float("nan")


@numpy_names
def amax(input: Tensor, dim: Dims = None, keepdim: bool = False) -> Tensor:
    """The largest value over all dimensions, or over `dim`; ties share the gradient."""
    check_flags("amax", keepdim=keepdim)
    return _extreme(Max, "amax", input, dim, keepdim)


@numpy_names
def amin(input: Tensor, dim: Dims = None, keepdim: bool = False) -> Tensor:
    """The smallest value over all dimensions, or over `dim`; ties share the gradient."""
    check_flags("amin", keepdim=keepdim)
    return _extreme(Min, "amin", input, dim, keepdim)


@numpy_names
def max(input: Tensor, dim: Any = None, keepdim: bool = False) -> Any:
    """The largest value; along `dim`, the pair (values, indices) of the first largest.

    With a tensor in the place of `dim`, `maximum` of both.

    Examples
    --------
    >>> import tinyconv as tc
    >>> tc.tensor([[1.0, 5.0], [7.0, 2.0]]).max(dim=1).indices.tolist()
    [1, 0]
    """
    check_flags("max", keepdim=keepdim)
    if isinstance(dim, Tensor):
        from tinyconv.ops.extremes import maximum

        return maximum(input, dim)
    return amax(input) if dim is None else _first_extreme("max", argmax, input, dim, keepdim)


@numpy_names
def min(input: Tensor, dim: Any = None, keepdim: bool = False) -> Any:
    """The smallest value; along `dim`, the pair (values, indices) of the first smallest.

    With a tensor in the place of `dim`, `minimum` of both.

    Examples
    --------
    >>> import tinyconv as tc
    >>> tc.tensor([[1.0, 5.0], [7.0, 2.0]]).min(dim=1).indices.tolist()
    [0, 1]
    """
    check_flags("min", keepdim=keepdim)
    if isinstance(dim, Tensor):
        from tinyconv.ops.extremes import minimum

        return minimum(input, dim)
    return amin(input) if dim is None else _first_extreme("min", argmin, input, dim, keepdim)


@numpy_names
def argmax(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """Index of the first largest value, in the flattened tensor or along `dim`."""
    check_flags("argmax", keepdim=keepdim)
    return _position("argmax", input, dim, keepdim)


@numpy_names
def argmin(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """Index of the first smallest value, in the flattened tensor or along `dim`."""
    check_flags("argmin", keepdim=keepdim)
    return _position("argmin", input, dim, keepdim)


def _extreme(function: type[Max], op: str, input: Tensor, dim: Dims, keepdim: bool) -> Tensor:
    check_tensor(op, "input", input)
    dims = reduced_dims(op, dim, input.ndim)
    if any(input.shape[d] == 0 for d in dims):
        raise ShapeError(op, "input", f"of shape {input.shape}", "at least one element to choose from")
    return function.apply(input, dims, bool(keepdim))


def _first_extreme(op: str, find: Callable[..., Tensor], input: Tensor, dim: int, keepdim: bool) -> Any:
    axis = normalize_dim(op, dim, check_tensor(op, "input", input).ndim)
    if input.ndim == 0:
        return ValuesIndices(reshape(input, ()), Tensor(array_module(input.array).zeros((), "int64")))
    if input.shape[axis] == 0:
        raise ShapeError(op, "input", f"of shape {input.shape}", "at least one element to choose from")
    indices = find(input, axis, keepdim=True)
    coordinates = list(array_module(input.array).ogrid[tuple(slice(n) for n in indices.shape)])
    coordinates[axis] = indices.array
    values = input[tuple(coordinates)]
    if keepdim:
        return ValuesIndices(values, indices)
    shape = tuple(n for i, n in enumerate(input.shape) if i != axis)
    return ValuesIndices(reshape(values, shape), Tensor(indices.array.reshape(shape)))


def _position(op: str, input: Tensor, dim: int | None, keepdim: bool) -> Tensor:
    check_tensor(op, "input", input)
    axis = None if dim is None else normalize_dim(op, dim, input.ndim)
    if (input.numel() if axis is None else input.shape[axis] if input.ndim else 1) == 0:
        raise ShapeError(op, "input", f"of shape {input.shape}", "at least one element to choose from")
    xp = array_module(input.array)
    if input.ndim == 0:
        return Tensor(xp.zeros((), "int64"))
    return Tensor(xp.asarray(getattr(input.array, op)(axis, keepdims=bool(keepdim))))
