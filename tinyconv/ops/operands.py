"""Operands of elementwise ops: numbers and tensors, made to agree in dtype and shape.

Broadcasting repeats an input along dimensions of size 1, so the gradient of that input is
the sum over the repetitions: `unbroadcast`, its adjoint.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tinyconv.autograd import Function
from tinyconv.device import array_module, check_dtype, default_dtype, int64, is_number
from tinyconv.errors import ArgumentError
from tinyconv.ops._checks import broadcast_shape, check_same_device, check_tensor
from tinyconv.ops.reduction import sum as sum_
from tinyconv.ops.shape import reshape
from tinyconv.recorder import constant
from tinyconv.tensor import Tensor

Operand = Any
"""A Tensor, or anything `tensor()` accepts: a number, a list, an array."""

RANKS = {"b": 0, "u": 1, "i": 1, "f": 2}


def as_operands(op: str, a: Operand, b: Operand) -> tuple[Tensor, Tensor]:
    """Both operands as tensors that broadcast together, with dtypes as PyTorch has them."""
    if not isinstance(b, Tensor):
        check_tensor(op, "input", a)
    check_same_device(op, a, b)
    a, b = _like(op, a, b), _like(op, b, a)
    broadcast_shape(op, a.shape, b.shape)
    return _promoted(a, b)


def _promoted(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """Floats lead integers lead truth values; among equals, a tensor with dimensions leads one without.

    NumPy, which decides the rest, would make float64 of int64 and float32.
    """
    rank, other_rank = ((RANKS[x.dtype.kind], x.ndim > 0) for x in (a, b))
    if a.dtype == b.dtype or rank == other_rank:
        return a, b
    return (a, astype(b, a.dtype)) if rank > other_rank else (astype(a, b.dtype), b)


def of_one_dtype(tensors: Sequence[Tensor]) -> list[Tensor]:
    """All in the dtype of the floats among them, if there are some, else of the integers, the widest."""
    leading = max(RANKS[x.dtype.kind] for x in tensors)
    dtype = np.result_type(*(x.dtype for x in tensors if RANKS[x.dtype.kind] == leading))
    return [astype(x, dtype) for x in tensors]


def _like(op: str, x: Operand, other: Operand) -> Tensor:
    return x if isinstance(x, Tensor) else _number_like(op, x, other)


@constant
def _number_like(op: str, x: Operand, other: Tensor) -> Tensor:
    module = array_module(other.array)
    dtype = None
    if isinstance(x, int | float) and not isinstance(x, bool):
        is_integer = other.dtype.kind in "iu" and isinstance(x, int)
        own = int64 if isinstance(x, int) else default_dtype.get()
        dtype = other.dtype if other.dtype.kind == "f" or is_integer else own
    try:
        array = module.asarray(x, dtype=dtype)
    except (ValueError, TypeError, OverflowError) as error:
        raise ArgumentError(op, "other", repr(x), "a Tensor or numbers") from error
    if not is_number(array.dtype):
        raise ArgumentError(op, "other", repr(x), "a Tensor or numbers")
    return Tensor(array.astype(other.dtype) if other.dtype.kind == "f" and array.dtype.kind == "f" else array)


def unbroadcast(grad: Tensor, shape: tuple[int, ...], dtype: Any = None) -> Tensor:
    """Sum `grad` over the dimensions along which an input of `shape` was repeated."""
    if grad.shape != shape:
        lead = grad.ndim - len(shape)
        repeated = [lead + i for i, n in enumerate(shape) if n == 1 and grad.shape[lead + i] != 1]
        grad = reshape(sum_(grad, (*range(lead), *repeated)), shape)
    return grad if dtype is None or grad.dtype == dtype else astype(grad, dtype)


class AsType(Function):
    """y = x in another dtype."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, dtype: Any) -> Any:
        ctx.dtype = x.dtype
        return x.array.astype(dtype)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        return astype(grad, ctx.dtype), None


def astype(input: Tensor, dtype: Any) -> Tensor:
    """`input` converted to `dtype`; the same tensor if it has that dtype already."""
    target = check_dtype("astype", dtype)
    return input if check_tensor("astype", "input", input).dtype == target else AsType.apply(input, target)


def as_floating(x: Tensor) -> Tensor:
    """`x`, in the default dtype if it holds integers or truth values."""
    return x if x.dtype.kind == "f" else astype(x, default_dtype.get())
