"""Sums, means and maxima over dimensions."""

from __future__ import annotations

from math import prod
from typing import Any, NamedTuple

from tinyconv.autograd import Function
from tinyconv.device import array_module
from tinyconv.errors import DtypeError, ShapeError
from tinyconv.kernels import reduction as kernels
from tinyconv.ops._checks import check_tensor, normalize_dim, normalize_dims
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
        return array_module(x.array).asarray(kernels.sum(x.array, dims, keepdim))

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        return expand(reshape(grad, ctx.kept_shape), ctx.shape), None, None


class Max(Function):
    """y = the largest value along some dimensions.

    The gradient goes to the elements that are the maximum; ties share it equally.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, dims: tuple[int, ...], keepdim: bool) -> Any:
        module = array_module(x.array)
        largest = module.asarray(kernels.max(x.array, dims, True))
        hits = x.array == largest
        ctx.share = Tensor((hits / hits.sum(dims, keepdims=True)).astype(x.dtype))
        ctx.kept_shape = largest.shape
        return largest if keepdim else largest.reshape([n for i, n in enumerate(x.shape) if i not in dims])

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        return reshape(grad, ctx.kept_shape) * ctx.share, None, None


def sum(input: Tensor, dim: Dims = None, keepdim: bool = False) -> Tensor:
    """The sum over all dimensions, or over `dim`."""
    check_tensor("sum", "input", input)
    return Sum.apply(input, normalize_dims("sum", dim, input.ndim), bool(keepdim))


def mean(input: Tensor, dim: Dims = None, keepdim: bool = False) -> Tensor:
    """The mean over all dimensions, or over `dim`."""
    if check_tensor("mean", "input", input).dtype.kind != "f":
        raise DtypeError("mean", "input", f"of dtype {input.dtype}", "a floating-point type")
    dims = normalize_dims("mean", dim, input.ndim)
    count = prod(input.shape[d] for d in dims)
    total = Sum.apply(input, dims, bool(keepdim))
    return total / count if count else total * float("nan")


def amax(input: Tensor, dim: Dims = None, keepdim: bool = False) -> Tensor:
    """The largest value over all dimensions, or over `dim`; ties share the gradient."""
    check_tensor("amax", "input", input)
    dims = normalize_dims("amax", dim, input.ndim)
    if any(input.shape[d] == 0 for d in dims):
        raise ShapeError("amax", "input", f"of shape {input.shape}", "at least one element to choose from")
    return Max.apply(input, dims, bool(keepdim))


def max(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Any:
    """The largest value; along `dim`, the pair (values, indices) of the first largest.

    Examples
    --------
    >>> import tinyconv as tc
    >>> tc.tensor([[1.0, 5.0], [7.0, 2.0]]).max(dim=1).indices.tolist()
    [1, 0]
    """
    if dim is None:
        return amax(input)
    axis = normalize_dim("max", dim, check_tensor("max", "input", input).ndim)
    if input.ndim == 0:
        return ValuesIndices(amax(input), Tensor(array_module(input.array).zeros((), "int64")))
    indices = argmax(input, axis, keepdim=True)
    coordinates = list(array_module(input.array).ogrid[tuple(slice(n) for n in indices.shape)])
    coordinates[axis] = indices.array
    values = input[tuple(coordinates)]
    if keepdim:
        return ValuesIndices(values, indices)
    shape = tuple(n for i, n in enumerate(input.shape) if i != axis)
    return ValuesIndices(reshape(values, shape), Tensor(indices.array.reshape(shape)))


def argmax(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """Index of the first largest value, in the flattened tensor or along `dim`."""
    check_tensor("argmax", "input", input)
    axis = None if dim is None else normalize_dim("argmax", dim, input.ndim)
    if (input.numel() if axis is None else input.shape[axis]) == 0:
        raise ShapeError("argmax", "input", f"of shape {input.shape}", "at least one element to choose from")
    return Tensor(array_module(input.array).asarray(input.array.argmax(axis, keepdims=keepdim)))
