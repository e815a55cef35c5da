"""Arithmetic, element by element, with broadcasting."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from math import sqrt
from typing import Any

from tinyconv import ops
from tinyconv.errors import ArgumentError
from tinyconv.io.onnx.node import Node
from tinyconv.ops._checks import check_same_dtype
from tinyconv.ops.operands import astype
from tinyconv.ops.smooth_activation import NormalCdf
from tinyconv.tensor import Tensor


def of_one(function: Callable[[Tensor], Tensor]) -> Callable[..., Tensor]:
    """A function of one tensor."""
    return lambda node, x: function(x)


def of_two(function: Callable[[Tensor, Tensor], Tensor]) -> Callable[..., Tensor]:
    """A function of two tensors of one dtype, which broadcast."""

    def run(node: Node, a: Tensor, b: Tensor) -> Tensor:
        check_same_dtype(node.op, A=a, B=b)
        return function(a, b)

    return run


def of_many(function: Callable[[Tensor, Tensor], Tensor]) -> Callable[..., Tensor]:
    """A function of two tensors, from the first to the last of many."""

    def run(node: Node, first: Tensor, *others: Tensor) -> Tensor:
        for x in others:
            check_same_dtype(node.op, first=first, other=x)
        return reduce(function, others, first)

    return run


def div(node: Node, a: Tensor, b: Tensor) -> Tensor:
    """a / b; whole numbers are divided towards 0."""
    check_same_dtype("Div", A=a, B=b)
    if a.dtype.kind == "f":
        return a / b
    quotient = ops.floor_divide(a, b)
    if a.dtype.kind == "u":
        return quotient
    inexact = ops.ne(ops.mul(quotient, b), a)
    return ops.where(ops.logical_and(inexact, quotient < 0), quotient + 1, quotient)


def mod(node: Node, a: Tensor, b: Tensor) -> Tensor:
    """What a division leaves over: with the sign of b, or with ``fmod`` that of a."""
    check_same_dtype("Mod", A=a, B=b)
    if not node.flag("fmod"):
        return ops.remainder(a, b)
    left = ops.remainder(ops.abs(a), ops.abs(b)) if a.dtype.kind != "u" else ops.remainder(a, b)
    return left if a.dtype.kind == "u" else ops.where(a < 0, -left, left)


def power(node: Node, a: Tensor, b: Tensor) -> Tensor:
    """a to the power b, in the dtype of a."""
    if a.dtype.kind != "f" and b.dtype.kind == "f":
        return astype(ops.pow(astype(a, "float64"), astype(b, "float64")), a.dtype)
    return ops.pow(a, astype(b, a.dtype))


def mean(node: Node, first: Tensor, *others: Tensor) -> Tensor:
    """The mean of tensors that broadcast."""
    return of_many(ops.add)(node, first, *others) / (1 + len(others))


def clip(node: Node, x: Tensor, low: Tensor | None = None, high: Tensor | None = None) -> Tensor:
    """x between two limits; before operator set 11 they are attributes."""
    limits: list[Any] = [low, high]
    if node.opset < 11:
        limits = [node.number(name) if node.has(name) else None for name in ("min", "max")]
    y = x if limits[0] is None else ops.clamp(x, min=limits[0])
    return y if limits[1] is None else ops.clamp(y, max=limits[1])


def bit_shift(node: Node, a: Tensor, b: Tensor) -> Tensor:
    """a times, or divided by, 2 to the power b."""
    check_same_dtype("BitShift", X=a, Y=b)
    if a.dtype.kind != "u":
        raise ArgumentError("BitShift", "X", f"of dtype {a.dtype}", "unsigned integers")
    direction = node.text("direction", choices=("LEFT", "RIGHT"))
    bits = 8 * a.dtype.itemsize
    inside = b < bits
    factor = ops.pow(ops.full_like(b, 2), ops.where(inside, b, ops.zeros_like(b)))
    shifted = ops.mul(a, factor) if direction == "LEFT" else ops.floor_divide(a, factor)
    return ops.where(inside, shifted, ops.zeros_like(shifted))


def erf(x: Tensor) -> Tensor:
    """The error function: the normal distribution function, stretched. Near 0 float32 would be too coarse."""
    return astype(NormalCdf.apply(astype(x, "float64") * sqrt(2)) * 2 - 1, x.dtype)


def asinh(x: Tensor) -> Tensor:
    """log(x + sqrt(x^2 + 1)), computed for |x|."""
    size, square = ops.abs(x), x * x
    return ops.sign(x) * ops.log1p(size + square / (1 + ops.sqrt(square + 1)))


TABLE: dict[str, Callable[..., Any]] = {
    "Abs": of_one(lambda x: x if x.dtype.kind == "u" else ops.abs(x)),
    "Acos": of_one(ops.acos),
    "Acosh": of_one(lambda x: ops.log(x + ops.sqrt(x - 1) * ops.sqrt(x + 1))),
    "Add": of_two(ops.add),
    "Asin": of_one(ops.asin),
    "Asinh": of_one(asinh),
    "Atan": of_one(ops.atan),
    "Atanh": of_one(lambda x: (ops.log1p(x) - ops.log1p(-x)) / 2),
    "BitShift": bit_shift,
    "Ceil": of_one(ops.ceil),
    "Clip": clip,
    "Cos": of_one(ops.cos),
    "Cosh": of_one(ops.cosh),
    "Div": div,
    "Erf": of_one(erf),
    "Exp": of_one(ops.exp),
    "Floor": of_one(ops.floor),
    "Log": of_one(ops.log),
    "Max": of_many(ops.maximum),
    "Mean": mean,
    "Min": of_many(ops.minimum),
    "Mod": mod,
    "Mul": of_two(ops.mul),
    "Neg": of_one(ops.neg),
    "Pow": power,
    "Reciprocal": of_one(ops.reciprocal),
    "Round": of_one(ops.round),
    "Sign": of_one(ops.sign),
    "Sin": of_one(ops.sin),
    "Sinh": of_one(ops.sinh),
    "Sqrt": of_one(ops.sqrt),
    "Sub": of_two(ops.sub),
    "Sum": of_many(ops.add),
    "Tan": of_one(ops.tan),
}
