"""Functions of one variable, element by element."""

from __future__ import annotations

from typing import Any

from tinyconv.autograd import Function
from tinyconv.device import array_module, int64
from tinyconv.errors import ArgumentError, DtypeError
from tinyconv.kernels import elementwise as kernels
from tinyconv.ops._checks import check_tensor, is_int
from tinyconv.ops.operands import as_floating, astype
from tinyconv.tensor import Tensor


class Steps(Function):
    """y = a function made of steps; its derivative is 0 everywhere, at the steps too."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, kernel: str, *options: Any) -> Any:
        return getattr(kernels, kernel)(x.array, *options)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        return Zero.apply(grad), *[None] * (len(ctx.needs_input_grad) - 1)


class Zero(Function):
    """y = 0 for every x, NaN and infinity too; its derivative is itself."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Any:
        return array_module(x.array).zeros_like(x.array)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        return Zero.apply(grad)


class Abs(Function):
    """y = |x|, so dy/dx = sign x: 0 at the kink."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Any:
        ctx.save_for_backward(x)
        return kernels.abs(x.array)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        (x,) = ctx.saved_tensors
        return grad * sign(x)


class Sqrt(Function):
    """y = sqrt x, so dy/dx = 1 / (2 y)."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Any:
        y = kernels.sqrt(x.array)
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        (y,) = ctx.saved_tensors
        return grad / (2 * y)


class Sin(Function):
    """y = sin x, so dy/dx = cos x."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Any:
        ctx.save_for_backward(x)
        return kernels.sin(x.array)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        (x,) = ctx.saved_tensors
        return grad * cos(x)


class Cos(Function):
    """y = cos x, so dy/dx = -sin x."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Any:
        ctx.save_for_backward(x)
        return kernels.cos(x.array)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        (x,) = ctx.saved_tensors
        return -grad * sin(x)


class Log1p(Function):
    """y = log(1 + x), so dy/dx = 1 / (1 + x)."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Any:
        ctx.save_for_backward(x)
        return kernels.log1p(x.array)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        (x,) = ctx.saved_tensors
        return grad / (1 + x)


class Expm1(Function):
    """y = e^x - 1, so dy/dx = y + 1."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Any:
        y = kernels.expm1(x.array)
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        (y,) = ctx.saved_tensors
        return grad * (y + 1)


def abs(input: Tensor) -> Tensor:
    """The distance from 0; the gradient at 0 is 0."""
    return Abs.apply(_numbers("abs", input))


def sqrt(input: Tensor) -> Tensor:
    """Square root; nan below 0. The gradient at 0 is infinite."""
    return Sqrt.apply(as_floating(check_tensor("sqrt", "input", input)))


def rsqrt(input: Tensor) -> Tensor:
    """1 / sqrt(input)."""
    return 1 / Sqrt.apply(as_floating(check_tensor("rsqrt", "input", input)))


def square(input: Tensor) -> Tensor:
    """input * input."""
    x = check_tensor("square", "input", input)
    return x * x if x.dtype.kind != "b" else astype(x, int64)


def reciprocal(input: Tensor) -> Tensor:
    """1 / input."""
    return 1 / as_floating(check_tensor("reciprocal", "input", input))


def sin(input: Tensor) -> Tensor:
    """Sine of an angle in radians."""
    return Sin.apply(as_floating(check_tensor("sin", "input", input)))


def cos(input: Tensor) -> Tensor:
    """Cosine of an angle in radians."""
    return Cos.apply(as_floating(check_tensor("cos", "input", input)))


def log1p(input: Tensor) -> Tensor:
    """log(1 + input), exact for small numbers too; -inf at -1 and nan below."""
    return Log1p.apply(as_floating(check_tensor("log1p", "input", input)))


def expm1(input: Tensor) -> Tensor:
    """exp(input) - 1, exact for small numbers too."""
    return Expm1.apply(as_floating(check_tensor("expm1", "input", input)))


def sign(input: Tensor) -> Tensor:
    """1, 0 or -1: on which side of 0; 0 for nan. The gradient is 0."""
    return Steps.apply(_numbers("sign", input), "sign")


def floor(input: Tensor) -> Tensor:
    """The largest whole number at most as large. The gradient is 0."""
    return _whole("floor", input)


def ceil(input: Tensor) -> Tensor:
    """The smallest whole number at least as large. The gradient is 0."""
    return _whole("ceil", input)


def trunc(input: Tensor) -> Tensor:
    """The number without what is behind the point. The gradient is 0."""
    return _whole("trunc", input)


def round(input: Tensor, decimals: int = 0) -> Tensor:
    """The nearest number with `decimals` digits behind the point. The gradient is 0.

    Halves go to the even neighbour.

    Examples
    --------
    >>> import tinyconv as tc
    >>> tc.round(tc.tensor([0.5, 1.5, 2.5])).tolist()
    [0.0, 2.0, 2.0]
    """
    if not is_int(decimals, -400, 400):
        raise ArgumentError("round", "decimals", repr(decimals), "an int from -400 to 400")
    return _whole("round", input, decimals)


def _whole(op: str, input: Tensor, *options: Any) -> Tensor:
    if _numbers(op, input).dtype.kind != "f":
        return input.clone()
    return Steps.apply(input, op, *options)


def _numbers(op: str, input: Tensor) -> Tensor:
    if check_tensor(op, "input", input).dtype.kind == "b":
        raise DtypeError(op, "input", f"of dtype {input.dtype}", "numbers, not truth values")
    return input
