"""Small formulas with a name of their own: products that are added, mixtures, differences."""

from __future__ import annotations

from math import inf
from typing import Any

from tinyconv.device import check_dtype, int64, on_its_gpu
from tinyconv.errors import ArgumentError, ShapeError
from tinyconv.kernels import elementwise as kernels
from tinyconv.ops._checks import (
    broadcast_shape,
    check_flags,
    check_float,
    check_int,
    check_number,
    check_same_device,
    check_same_dtype,
    check_tensor,
    normalize_dim,
    reduced_dims,
)
from tinyconv.ops.elementwise import Binary, where
from tinyconv.ops.matmul import _check_ranks, _product
from tinyconv.ops.numpy_names import numpy_names
from tinyconv.ops.operands import Operand, as_operands, astype
from tinyconv.ops.reduction import Dims
from tinyconv.ops.reduction import sum as sum_
from tinyconv.ops.shape import cat, clone, unsqueeze
from tinyconv.ops.statistics import norm
from tinyconv.ops.unary import trunc
from tinyconv.tensor import Tensor


class FMod(Binary):
    """y = a - b trunc(a / b), so dy/da = 1 and dy/db = -trunc(a / b)."""

    @staticmethod
    def forward(ctx: Any, a: Tensor, b: Tensor) -> Any:
        ctx.remember(a, b)
        ctx.save_for_backward(a, b)
        return kernels.fmod(a.array, b.array)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        a, b = ctx.saved_tensors
        return ctx.gradients(lambda: grad, lambda: -grad * trunc(a / b))


def fmod(input: Operand, other: Operand) -> Tensor:
    """What is left of input / other after whole parts; it has the sign of `input` (see `remainder`)."""
    a, b = as_operands("fmod", check_tensor("fmod", "input", input), other)
    if a.dtype.kind != "f" and b.dtype.kind != "f" and not b.array.all():
        raise ArgumentError("fmod", "other", "0", "a divisor other than 0 for integers")
    return FMod.apply(a, b)


def frac(input: Tensor) -> Tensor:
    """What is behind the point, with the sign of the number."""
    return check_float("frac", "input", input) - trunc(input)


def addcmul(input: Tensor, tensor1: Tensor, tensor2: Tensor, value: float = 1) -> Tensor:
    """input + value * tensor1 * tensor2, with broadcasting."""
    x, a, b = _three("addcmul", input, tensor1, tensor2)
    factor = check_number("addcmul", "value", value)
    return x + (a * b if factor == 1 else a * b * value)


def addcdiv(input: Tensor, tensor1: Tensor, tensor2: Tensor, value: float = 1) -> Tensor:
    """input + value * tensor1 / tensor2, with broadcasting."""
    x, a, b = _three("addcdiv", input, tensor1, tensor2)
    factor = check_number("addcdiv", "value", value)
    return x + (a / b if factor == 1 else a / b * value)


def _three(op: str, input: Tensor, tensor1: Tensor, tensor2: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    named = {"input": input, "tensor1": tensor1, "tensor2": tensor2}
    check_same_device(op, *named.values())
    broadcast_shape(op, *(check_tensor(op, name, x).shape for name, x in named.items()))
    return input, tensor1, tensor2


def lerp(input: Tensor, end: Tensor, weight: Any) -> Tensor:
    """From `input` (weight 0) to `end` (weight 1) along a straight line: input + weight * (end - input).

    Examples
    --------
    >>> import tinyconv as tc
    >>> tc.lerp(tc.tensor([0.0, 10.0]), tc.tensor([1.0, 20.0]), 0.5).tolist()
    [0.5, 15.0]
    """
    start, stop = check_float("lerp", "input", input), check_float("lerp", "end", end)
    share = weight if isinstance(weight, Tensor) else check_number("lerp", "weight", weight)
    shapes = [x.shape for x in (start, stop, share) if isinstance(x, Tensor)]
    broadcast_shape("lerp", *shapes)
    check_same_dtype("lerp", input=start, end=stop, weight=share if isinstance(share, Tensor) else None)
    return start + (stop - start) * share


def addmm(input: Tensor, mat1: Tensor, mat2: Tensor, *, beta: float = 1, alpha: float = 1) -> Tensor:
    """beta * input + alpha * (mat1 @ mat2): matrices (n, m) and (m, p), and what broadcasts to (n, p)."""
    check_same_dtype(
        "addmm", input=check_float("addmm", "input", input), mat1=check_tensor("addmm", "mat1", mat1)
    )
    _check_ranks("addmm", mat1=(mat1, 2), mat2=(mat2, 2))
    return _added("addmm", input, _product("addmm", mat1=mat1, mat2=mat2), beta, alpha)


def baddbmm(input: Tensor, batch1: Tensor, batch2: Tensor, *, beta: float = 1, alpha: float = 1) -> Tensor:
    """beta * input + alpha * (batch1 @ batch2): `addmm` for stacks of matrices (B, n, m), (B, m, p)."""
    check_float("baddbmm", "input", input)
    _check_ranks("baddbmm", batch1=(batch1, 3), batch2=(batch2, 3))
    check_same_dtype("baddbmm", input=input, batch1=batch1)
    if batch1.shape[0] != batch2.shape[0]:
        shapes = f"{batch1.shape} and {batch2.shape}"
        raise ShapeError("baddbmm", "the inputs' shapes", shapes, "(B, n, m) and (B, m, p)")
    return _added("baddbmm", input, _product("baddbmm", batch1=batch1, batch2=batch2), beta, alpha)


def _added(op: str, input: Tensor, product: Tensor, beta: float, alpha: float) -> Tensor:
    before, factor = check_number(op, "beta", beta), check_number(op, "alpha", alpha)
    if broadcast_shape(op, input.shape, product.shape) != product.shape:
        raise ShapeError(op, "input", f"of shape {input.shape}", f"a shape that fits {product.shape}")
    return (input if before == 1 else input * before) + (product if factor == 1 else product * factor)


def nan_to_num(
    input: Tensor, nan: float = 0.0, posinf: float | None = None, neginf: float | None = None
) -> Tensor:
    """nan and the infinities replaced by numbers; if none are given, the largest there are."""
    x = check_tensor("nan_to_num", "input", input)
    if x.dtype.kind != "f":
        return clone(x)
    import numpy as np

    limits = np.finfo(x.dtype)
    high = float(limits.max) if posinf is None else check_number("nan_to_num", "posinf", posinf)
    low = float(limits.min) if neginf is None else check_number("nan_to_num", "neginf", neginf)
    x = where(x != x, check_number("nan_to_num", "nan", nan), x)
    return where(x == -inf, low, where(x == inf, high, x))


@numpy_names
def cumprod(input: Tensor, dim: int, dtype: Any = None) -> Tensor:
    """Running products along `dim`.

    Products of 2, 4, 8, … neighbours are made of each other, so that the gradient is right where
    elements are 0 too.

    Examples
    --------
    >>> import tinyconv as tc
    >>> tc.cumprod(tc.tensor([1, 2, 3]), 0).tolist()
    [1, 2, 6]
    """
    x = check_tensor("cumprod", "input", input)
    x = (
        astype(x, check_dtype("cumprod", dtype))
        if dtype is not None
        else x
        if x.dtype.kind == "f"
        else astype(x, int64)
    )
    axis, step = normalize_dim("cumprod", dim, x.ndim), 1
    if x.ndim == 0 or x.shape[axis] < 2:
        return clone(x)
    while step < x.shape[axis]:
        later = _part(x, axis, step, None) * _part(x, axis, 0, -step)
        x = cat([_part(x, axis, 0, step), later], axis)
        step *= 2
    return x


@numpy_names
def diff(input: Tensor, n: int = 1, dim: int = -1) -> Tensor:
    """The differences of neighbours along `dim`; with n > 1, of the differences again."""
    x = check_tensor("diff", "input", input)
    count = check_int("diff", "n", n, 0)
    if x.ndim == 0:
        raise ShapeError("diff", "input", "of shape ()", "at least one dimension")
    axis = normalize_dim("diff", dim, x.ndim)
    for _ in range(count):
        later, earlier = _part(x, axis, 1, None), _part(x, axis, 0, -1)
        x = later != earlier if x.dtype.kind == "b" else later - earlier
    return x


@on_its_gpu
def cdist(x1: Tensor, x2: Tensor, p: float = 2.0) -> Tensor:
    """The distances, in the p-norm, of all rows of `x1` to all rows of `x2`.

    Parameters
    ----------
    x1, x2 : Tensor
        Shapes (…, n, features) and (…, m, features).
    p : float

    Returns
    -------
    Tensor
        Shape (…, n, m).
    """
    a, b = check_float("cdist", "x1", x1), check_float("cdist", "x2", x2)
    check_same_dtype("cdist", x1=a, x2=b)
    if a.ndim < 2 or b.ndim < 2 or a.shape[-1] != b.shape[-1]:
        shapes = f"{a.shape} and {b.shape}"
        raise ShapeError("cdist", "the inputs' shapes", shapes, "(..., n, features) and (..., m, features)")
    if not check_number("cdist", "p", p) >= 0:
        raise ArgumentError("cdist", "p", p, "a number >= 0")
    broadcast_shape("cdist", a.shape[:-2], b.shape[:-2])
    return norm(unsqueeze(a, -2) - unsqueeze(b, -3), p, -1)


@numpy_names
def nansum(input: Tensor, dim: Dims = None, keepdim: bool = False) -> Tensor:
    """The sum over all dimensions, or over `dim`, of what is not nan."""
    check_flags("nansum", keepdim=keepdim)
    x = check_tensor("nansum", "input", input)
    dims = reduced_dims("nansum", dim, x.ndim)
    return sum_(where(x != x, 0.0, x) if x.dtype.kind == "f" else x, dims, keepdim)


def _part(x: Tensor, axis: int, start: int, stop: int | None) -> Tensor:
    return x[(slice(None),) * axis + (slice(start, stop),)]
