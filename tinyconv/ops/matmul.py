"""Matrix products."""

from __future__ import annotations

from math import prod
from typing import Any

from tinyconv.autograd import Function
from tinyconv.errors import ShapeError
from tinyconv.kernels import matmul as kernels
from tinyconv.ops._checks import (
    broadcast_shape,
    check_float,
    check_ndim,
    check_same_device,
    check_same_dtype,
    check_tensor,
)
from tinyconv.ops.operands import unbroadcast
from tinyconv.ops.precision import factors
from tinyconv.ops.shape import expand, reshape, transpose, unsqueeze
from tinyconv.tensor import Tensor


class MatMul(Function):
    """Y = A B, so dL/dA = dL/dY B^T and dL/dB = A^T dL/dY."""

    @staticmethod
    def forward(ctx: Any, a: Tensor, b: Tensor) -> Any:
        ctx.save_for_backward(a, b)
        return kernels.matmul(*factors("matmul", a.array, b.array))

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        a, b = ctx.saved_tensors
        needs_a, needs_b = ctx.needs_input_grad
        return (
            unbroadcast(MatMul.apply(grad, transpose(b, -1, -2)), a.shape) if needs_a else None,
            unbroadcast(MatMul.apply(transpose(a, -1, -2), grad), b.shape) if needs_b else None,
        )


class Linear(Function):
    """Y = X W^T + b for X (rows, in), W (out, in), b (out)."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None) -> Any:
        ctx.save_for_backward(x, weight)
        return kernels.linear(*factors("matmul", x.array, weight.array), None if bias is None else bias.array)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        x, weight = ctx.saved_tensors
        found = iter(LinearBackward.apply(grad, x, weight, ctx.needs_input_grad))
        return tuple([next(found) if needed else None for needed in ctx.needs_input_grad])


class LinearBackward(Function):
    """The wanted ones of dL/dX = G W, dL/dW = G^T X and dL/db = sum of the rows of G, where G = dL/dY.

    Their gradients U, V and w reach G as U W^T + X V^T + w, X as G V, and W as G^T U.
    """

    @staticmethod
    def forward(ctx: Any, grad: Tensor, x: Tensor, weight: Tensor, wanted: tuple[bool, bool, bool]) -> Any:
        ctx.save_for_backward(grad, x, weight)
        ctx.set_materialize_grads(False)
        ctx.wanted = wanted
        gradients = kernels.linear_gradients(*factors("matmul", grad.array, x.array, weight.array), wanted)
        return tuple([gradient for gradient in gradients if gradient is not None])

    @staticmethod
    def backward(ctx: Any, *outer: Tensor | None) -> Any:
        grad, x, weight = ctx.saved_tensors
        needs_grad, needs_x, needs_weight, _ = ctx.needs_input_grad
        arrived = iter(outer)
        u, v, w = (next(arrived) if wanted else None for wanted in ctx.wanted)
        terms = [
            *([linear(u, weight)] if u is not None else []),
            *([linear(x, v)] if v is not None else []),
            *([expand(w, grad.shape)] if w is not None else []),
        ]
        return (
            sum(terms[1:], terms[0]) if needs_grad else None,
            MatMul.apply(grad, v) if needs_x and v is not None else None,
            MatMul.apply(transpose(grad, 0, 1), u) if needs_weight and u is not None else None,
            None,
        )


def matmul(input: Tensor, other: Tensor) -> Tensor:
    """Matrix product; dimensions before the last two are batches that broadcast.

    Parameters
    ----------
    input, other : Tensor
        Shapes (..., n, m) and (..., m, p); a vector counts as a row or a column, and that
        dimension is dropped from the result.
    """
    return _product("matmul", input=input, other=other)


def _product(op: str, **inputs: Tensor) -> Tensor:
    """The matrix product of two inputs, whose names error messages show."""
    a, b = (check_float(op, name, x) for name, x in inputs.items())
    check_same_dtype(op, **inputs)
    if a.ndim == 0 or b.ndim == 0:
        raise ShapeError(op, "the inputs' shapes", f"{a.shape} and {b.shape}", "at least one dimension each")
    left = unsqueeze(a, 0) if a.ndim == 1 else a
    right = unsqueeze(b, 1) if b.ndim == 1 else b
    if left.shape[-1] != right.shape[-2]:
        raise ShapeError(op, "the inputs' shapes", f"{a.shape} and {b.shape}", "(..., n, m) and (..., m, p)")
    try:
        broadcast_shape(op, left.shape[:-2], right.shape[:-2])
    except ShapeError:
        shapes = f"{a.shape} and {b.shape}"
        expected = "dimensions before the last two that are equal or 1"
        raise ShapeError(op, "the inputs' shapes", shapes, expected) from None
    y = MatMul.apply(left, right)
    shape = y.shape[:-2] + y.shape[-2:][int(a.ndim == 1) : 2 - int(b.ndim == 1)]
    return y if shape == y.shape else reshape(y, shape)


def linear(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """y = x W^T + b: a layer of neurons before their activation.

    Parameters
    ----------
    input : Tensor
        Shape (..., in_features).
    weight : Tensor
        Shape (out_features, in_features).
    bias : Tensor, optional
        Shape (out_features,).
    """
    check_float("linear", "input", input)
    check_float("linear", "weight", weight)
    if bias is not None:
        check_tensor("linear", "bias", bias)
    check_same_dtype("linear", input=input, weight=weight, bias=bias)
    if weight.ndim != 2:
        raise ShapeError("linear", "weight", f"of shape {weight.shape}", "(out_features, in_features)")
    out_features, in_features = weight.shape
    if input.ndim == 0 or input.shape[-1] != in_features:
        raise ShapeError("linear", "input", f"of shape {input.shape}", f"(..., {in_features})")
    if bias is not None and bias.shape != (out_features,):
        raise ShapeError("linear", "bias", f"of shape {bias.shape}", f"({out_features},)")
    rows = input if input.ndim == 2 else reshape(input, (prod(input.shape[:-1]), in_features))
    y = Linear.apply(rows, weight, bias)
    return y if input.ndim == 2 else reshape(y, (*input.shape[:-1], out_features))


def bmm(input: Tensor, mat2: Tensor) -> Tensor:
    """The products of two stacks of matrices, (B, n, m) and (B, m, p), without broadcasting."""
    _check_ranks("bmm", input=(input, 3), mat2=(mat2, 3))
    if input.shape[0] != mat2.shape[0]:
        shapes = f"{input.shape} and {mat2.shape}"
        raise ShapeError("bmm", "the inputs' shapes", shapes, "(B, n, m) and (B, m, p)")
    return _product("bmm", input=input, mat2=mat2)


def mm(input: Tensor, mat2: Tensor) -> Tensor:
    """The product of two matrices, (n, m) and (m, p)."""
    _check_ranks("mm", input=(input, 2), mat2=(mat2, 2))
    return _product("mm", input=input, mat2=mat2)


def mv(input: Tensor, vec: Tensor) -> Tensor:
    """The product of a matrix (n, m) and a vector (m,)."""
    _check_ranks("mv", input=(input, 2), vec=(vec, 1))
    return _product("mv", input=input, vec=vec)


def dot(input: Tensor, tensor: Tensor) -> Tensor:
    """The sum of the products of two vectors of one length, (n,)."""
    _check_ranks("dot", input=(input, 1), tensor=(tensor, 1))
    return _product("dot", input=input, tensor=tensor)


def outer(input: Tensor, vec2: Tensor) -> Tensor:
    """The matrix (n, m) of all products of two vectors, (n,) and (m,)."""
    _check_ranks("outer", input=(input, 1), vec2=(vec2, 1))
    return unsqueeze(input, 1) * vec2


RANKS = {1: "(n,)", 2: "(n, m)", 3: "(B, n, m)"}


def _check_ranks(op: str, **inputs: tuple[Any, int]) -> None:
    check_same_device(op, *(x for x, _ in inputs.values()))
    for argument, (x, ndim) in inputs.items():
        check_ndim(op, argument, check_float(op, argument, x), ndim, RANKS[ndim])
