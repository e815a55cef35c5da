"""Functions of angles, their inverses, and logarithms and powers of other bases than e."""

from __future__ import annotations

from math import log as log_of
from typing import Any

from tinyconv.autograd import Function
from tinyconv.kernels import elementwise as kernels
from tinyconv.ops._checks import check_tensor
from tinyconv.ops.elementwise import Binary, where
from tinyconv.ops.operands import as_floating, as_operands
from tinyconv.ops.unary import sqrt
from tinyconv.tensor import Tensor


class OfOne(Function):
    """Base of functions of one variable: names its kernel, and saves x."""

    kernel: str

    @classmethod
    def forward(cls, ctx: Any, x: Tensor) -> Any:
        ctx.save_for_backward(x)
        return getattr(kernels, cls.kernel)(x.array)


class Tan(OfOne):
    """y = tan x, so dy/dx = 1 + y^2."""

    kernel = "tan"

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        (x,) = ctx.saved_tensors
        y = tan(x)
        return grad * (1 + y * y)


class Atan(OfOne):
    """y = arctan x, so dy/dx = 1 / (1 + x^2)."""

    kernel = "atan"

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        (x,) = ctx.saved_tensors
        return grad / (1 + x * x)


class Asin(OfOne):
    """y = arcsin x, so dy/dx = 1 / sqrt(1 - x^2)."""

    kernel = "asin"

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        (x,) = ctx.saved_tensors
        return grad / sqrt(1 - x * x)


class Acos(OfOne):
    """y = arccos x, so dy/dx = -1 / sqrt(1 - x^2)."""

    kernel = "acos"

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        (x,) = ctx.saved_tensors
        return -grad / sqrt(1 - x * x)


class Sinh(OfOne):
    """y = sinh x, so dy/dx = cosh x."""

    kernel = "sinh"

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        (x,) = ctx.saved_tensors
        return grad * cosh(x)


class Cosh(OfOne):
    """y = cosh x, so dy/dx = sinh x."""

    kernel = "cosh"

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        (x,) = ctx.saved_tensors
        return grad * sinh(x)


class Log2(OfOne):
    """y = log x / log 2, so dy/dx = 1 / (x log 2)."""

    kernel = "log2"

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        (x,) = ctx.saved_tensors
        return grad / (x * log_of(2))


class Log10(OfOne):
    """y = log x / log 10, so dy/dx = 1 / (x log 10)."""

    kernel = "log10"

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        (x,) = ctx.saved_tensors
        return grad / (x * log_of(10))


class Exp2(OfOne):
    """y = 2^x, so dy/dx = 2^x log 2."""

    kernel = "exp2"

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        (x,) = ctx.saved_tensors
        return grad * exp2(x) * log_of(2)


class Atan2(Binary):
    """y = the angle of the point (b, a), so dy/da = b / (a^2 + b^2) and dy/db = -a / (a^2 + b^2).

    At (0, 0), where there is no angle, the derivatives are taken as 0.
    """

    @staticmethod
    def forward(ctx: Any, a: Tensor, b: Tensor) -> Any:
        ctx.remember(a, b)
        ctx.save_for_backward(a, b)
        return kernels.atan2(a.array, b.array)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        a, b = ctx.saved_tensors
        square = a * a + b * b
        share = grad / where(Tensor(square.array == 0), 1.0, square)
        return ctx.gradients(lambda: share * b, lambda: -share * a)


def tan(input: Tensor) -> Tensor:
    """Tangent of an angle in radians."""
    return Tan.apply(_floats("tan", input))


def atan(input: Tensor) -> Tensor:
    """The angle from -pi/2 to pi/2 whose tangent is the input."""
    return Atan.apply(_floats("atan", input))


def asin(input: Tensor) -> Tensor:
    """The angle from -pi/2 to pi/2 whose sine is the input; nan outside [-1, 1]."""
    return Asin.apply(_floats("asin", input))


def acos(input: Tensor) -> Tensor:
    """The angle from 0 to pi whose cosine is the input; nan outside [-1, 1]."""
    return Acos.apply(_floats("acos", input))


def sinh(input: Tensor) -> Tensor:
    """Hyperbolic sine, (e^x - e^-x) / 2."""
    return Sinh.apply(_floats("sinh", input))


def cosh(input: Tensor) -> Tensor:
    """Hyperbolic cosine, (e^x + e^-x) / 2."""
    return Cosh.apply(_floats("cosh", input))


def log2(input: Tensor) -> Tensor:
    """Logarithm to the base 2; -inf at 0 and nan below."""
    return Log2.apply(_floats("log2", input))


def log10(input: Tensor) -> Tensor:
    """Logarithm to the base 10; -inf at 0 and nan below."""
    return Log10.apply(_floats("log10", input))


def exp2(input: Tensor) -> Tensor:
    """2 to the power of input."""
    return Exp2.apply(_floats("exp2", input))


def atan2(input: Tensor, other: Tensor) -> Tensor:
    """The angle from -pi to pi of the point with height `input` and breadth `other`, with broadcasting."""
    a, b = check_tensor("atan2", "input", input), check_tensor("atan2", "other", other)
    a, b = as_operands("atan2", a, b)
    return Atan2.apply(as_floating(a), as_floating(b))


def _floats(op: str, input: Tensor) -> Tensor:
    return as_floating(check_tensor(op, "input", input))
