"""Reductions that are made of others: variance, product, norms; and running sums."""

from __future__ import annotations

from math import inf
from math import prod as product
from typing import Any

from tinyconv.autograd import Function
from tinyconv.device import array_module, check_dtype, int64, on_its_gpu
from tinyconv.errors import ArgumentError
from tinyconv.kernels import reduction as kernels
from tinyconv.ops._checks import (
    check_flags,
    check_float,
    check_number,
    check_tensor,
    normalize_dim,
    normalize_dims,
    reduced_dims,
)
from tinyconv.ops.elementwise import exp, log, where
from tinyconv.ops.numpy_names import numpy_names
from tinyconv.ops.operands import as_floating, astype
from tinyconv.ops.reduction import Dims, amax, amin, mean
from tinyconv.ops.reduction import sum as sum_
from tinyconv.ops.shape import Copy, cat, reshape
from tinyconv.ops.unary import abs as abs_
from tinyconv.ops.unary import sign, sqrt
from tinyconv.tensor import Tensor


class CumSum(Function):
    """y_i = x_0 + … + x_i; its adjoint sums from the other end."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, dim: int) -> Any:
        ctx.dim = dim
        return kernels.cumsum(x.array, dim)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        backwards = (slice(None),) * ctx.dim + (slice(None, None, -1),)
        return CumSum.apply(grad[backwards], ctx.dim)[backwards], None


@numpy_names
def var(
    input: Tensor,
    dim: Any = None,
    unbiased: bool = True,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> Tensor:
    """The variance over all dimensions, or over `dim`.

    Parameters
    ----------
    input : Tensor
    dim : int or tuple of ints, optional
    unbiased : bool
        Divide by n - 1 instead of n.
    keepdim : bool
    correction : number, optional
        Divide by n - correction; comes before `unbiased`.

    Examples
    --------
    >>> import tinyconv as tc
    >>> tc.var(tc.tensor([1.0, 3.0])).item(), tc.var(tc.tensor([1.0, 3.0]), correction=0).item()
    (2.0, 1.0)
    """
    check_flags("var", unbiased=unbiased, keepdim=keepdim)
    return _variance("var", input, dim, unbiased, keepdim, correction)


@numpy_names
def std(
    input: Tensor,
    dim: Any = None,
    unbiased: bool = True,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> Tensor:
    """The square root of `var`, with the same arguments; where it is 0 the gradient is 0."""
    check_flags("std", unbiased=unbiased, keepdim=keepdim)
    return _root(_variance("std", input, dim, unbiased, keepdim, correction))


@numpy_names
def var_mean(input: Tensor, dim: Any = None, *, correction: float = 1, keepdim: bool = False) -> Any:
    """The pair (variance, mean)."""
    check_flags("var_mean", keepdim=keepdim)
    dim = reduced_dims("var_mean", dim, check_float("var_mean", "input", input).ndim)
    variance = _variance("var_mean", input, dim, True, keepdim, correction)
    return variance, mean(input, dim, keepdim)


@numpy_names
def std_mean(input: Tensor, dim: Any = None, *, correction: float = 1, keepdim: bool = False) -> Any:
    """The pair (standard deviation, mean)."""
    check_flags("std_mean", keepdim=keepdim)
    dim = reduced_dims("std_mean", dim, check_float("std_mean", "input", input).ndim)
    deviation = _root(_variance("std_mean", input, dim, True, keepdim, correction))
    return deviation, mean(input, dim, keepdim)


@numpy_names
def count_nonzero(input: Tensor, dim: Dims = None) -> Tensor:
    """How many elements are not 0, of all or along `dim`."""
    x = check_tensor("count_nonzero", "input", input)
    return sum_(x != 0, reduced_dims("count_nonzero", dim, x.ndim))


@numpy_names
def prod(input: Tensor, dim: int | None = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """The product of all elements, or of those along `dim`, in `dtype` if that is given.

    Halves are multiplied with each other until one number is left, so that the gradient is
    right where elements are 0 too.
    """
    check_flags("prod", keepdim=keepdim)
    x = check_tensor("prod", "input", input)
    x = (
        astype(x, check_dtype("prod", dtype))
        if dtype is not None
        else x
        if x.dtype.kind == "f"
        else astype(x, int64)
    )
    axis = 0 if dim is None else normalize_dim("prod", dim, x.ndim)
    shape = tuple(1 if dim is None or i == axis else n for i, n in enumerate(x.shape))
    if dim is None or x.ndim == 0:
        x = reshape(x, (x.numel(),))
    while x.shape[axis] > 1:
        half = x.shape[axis] // 2
        pairs = _part(x, axis, 0, half) * _part(x, axis, half, 2 * half)
        x = cat([pairs, _part(x, axis, 2 * half, None)], axis) if x.shape[axis] % 2 else pairs
    if x.shape[axis] == 0:
        x = sum_(x, axis) + 1
    return reshape(
        x, shape if keepdim else tuple(n for i, n in enumerate(shape) if dim is not None and i != axis)
    )


@numpy_names
def logsumexp(input: Tensor, dim: Dims, keepdim: bool = False) -> Tensor:
    """log(sum(exp(input))) over `dim`, without overflow."""
    check_flags("logsumexp", keepdim=keepdim)
    x = as_floating(check_tensor("logsumexp", "input", input))
    dims = normalize_dims("logsumexp", dim, x.ndim)
    shift = Tensor(_finite_max(x.array, dims))
    total = log(sum_(exp(x - shift), dims, keepdim=True)) + shift
    return total if keepdim else reshape(total, tuple(n for i, n in enumerate(x.shape) if i not in dims))


@numpy_names
def cumsum(input: Tensor, dim: int, dtype: Any = None) -> Tensor:
    """Running sums along `dim`, in `dtype` if that is given.

    Examples
    --------
    >>> import tinyconv as tc
    >>> tc.cumsum(tc.tensor([1, 2, 3]), 0).tolist()
    [1, 3, 6]
    """
    check_tensor("cumsum", "input", input)
    input = input if dtype is None else astype(input, check_dtype("cumsum", dtype))
    axis = normalize_dim("cumsum", dim, input.ndim)
    if input.ndim == 0:
        return Copy.apply(input if input.dtype.kind == "f" or dtype else astype(input, int64), "K")
    total = CumSum.apply(input, axis)
    return total if dtype is None else astype(total, dtype)


@on_its_gpu
def norm(input: Tensor, p: Any = "fro", dim: Dims = None, keepdim: bool = False) -> Tensor:
    """The length of the vector of all elements, or of those along `dim`.

    Parameters
    ----------
    input : Tensor
    p : number, inf, -inf or ``"fro"``
        (sum of \\|x\\|^p)^(1/p). "fro" is 2, inf the largest \\|x\\|, -inf the smallest, 0 the number
        of elements that are not 0.
    dim : int or tuple of ints, optional
    keepdim : bool

    Notes
    -----
    The gradient is PyTorch's: 0 where elements are 0, and shared by the largest for p = inf.

    Examples
    --------
    >>> import tinyconv as tc
    >>> tc.norm(tc.tensor([3.0, -4.0])).item()
    5.0
    """
    check_flags("norm", keepdim=keepdim)
    x = check_float("norm", "input", input)
    if isinstance(p, str) and p != "fro":
        raise ArgumentError("norm", "p", repr(p), "a number or 'fro'")
    order = 2.0 if isinstance(p, str) else check_number("norm", "p", p)
    dims = reduced_dims("norm", dim, x.ndim)
    if order in (inf, -inf):
        return (amax if order > 0 else amin)(abs_(x), dims, keepdim)
    if order == 0:
        return sum_(abs_(sign(x)), dims, keepdim)
    if order == 1:
        return sum_(abs_(x), dims, keepdim)
    if order == 2:
        return _root(sum_(x * x, dims, keepdim))
    zero = Tensor(x.array == 0)
    powers = where(zero, 0.0 if order > 0 else inf, abs_(where(zero, 1.0, x)) ** order)
    return _power_of_sum(sum_(powers, dims, keepdim), 1 / order)


def _variance(op: str, input: Tensor, dim: Any, unbiased: Any, keepdim: bool, correction: Any) -> Tensor:
    if isinstance(dim, bool):
        dim, unbiased = None, dim
    less = float(unbiased) if correction is None else check_number(op, "correction", correction)
    dims = reduced_dims(op, dim, check_float(op, "input", input).ndim)
    count = product(input.shape[d] for d in dims)
    deviation = input - mean(input, dims, keepdim=True)
    total = sum_(deviation * deviation, dims, keepdim)
    return total / (count - less) if count > less else total / 0.0


def _root(x: Tensor) -> Tensor:
    """The square root, with gradient 0 at 0."""
    zero = Tensor(x.array == 0)
    return where(zero, 0.0, sqrt(where(zero, 1.0, x)))


def _power_of_sum(x: Tensor, exponent: float) -> Tensor:
    """``x ** exponent``, with gradient 0 at 0."""
    zero = Tensor(x.array == 0)
    return where(zero, 0.0 if exponent > 0 else inf, where(zero, 1.0, x) ** exponent)


def _part(x: Tensor, axis: int, start: int, stop: int | None) -> Tensor:
    return x[(slice(None),) * axis + (slice(start, stop),)]


def _finite_max(x: Any, dims: tuple[int, ...]) -> Any:
    """The largest elements over `dims`, but 0 where they are infinite or there are none."""
    xp = array_module(x)
    if x.size == 0:
        return xp.zeros([1 if i in dims else n for i, n in enumerate(x.shape)], x.dtype)
    largest = kernels.max(x, dims, True)
    return xp.where(xp.isfinite(largest), largest, xp.zeros((), x.dtype))
