"""Arithmetic, element by element, with broadcasting."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tinyconv.autograd import Function
from tinyconv.device import array_module, on_its_gpu
from tinyconv.errors import ArgumentError, DtypeError
from tinyconv.kernels import elementwise as kernels
from tinyconv.ops._checks import broadcast_shape, check_number, check_tensor
from tinyconv.ops.creation import as_tensor
from tinyconv.ops.operands import Operand, as_floating, as_operands, unbroadcast
from tinyconv.recorder import computed, constant
from tinyconv.tensor import Tensor


class Binary(Function):
    """Base of the two-input ops: remembers the shapes, and un-broadcasts the gradients."""

    likes: tuple[tuple[tuple[int, ...], Any], ...]

    def remember(self, a: Tensor, b: Tensor) -> None:
        """Keep the inputs' shapes and dtypes."""
        self.likes = (a.shape, a.dtype), (b.shape, b.dtype)

    def gradients(self, *of_inputs: Callable[[], Tensor]) -> tuple[Tensor | None, ...]:
        """Evaluate only the gradients that are needed, each un-broadcast to its input's shape."""
        return tuple(
            unbroadcast(compute(), *like) if needed else None
            for compute, like, needed in zip(of_inputs, self.likes, self.needs_input_grad, strict=True)
        )


class Add(Binary):
    """y = a + b."""

    @staticmethod
    def forward(ctx: Any, a: Tensor, b: Tensor) -> Any:
        ctx.remember(a, b)
        return kernels.add(a.array, b.array)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        return ctx.gradients(lambda: grad, lambda: grad)


class Sub(Binary):
    """y = a - b."""

    @staticmethod
    def forward(ctx: Any, a: Tensor, b: Tensor) -> Any:
        ctx.remember(a, b)
        return kernels.sub(a.array, b.array)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        return ctx.gradients(lambda: grad, lambda: -grad)


class Mul(Binary):
    """y = a b, so dy/da = b and dy/db = a."""

    @staticmethod
    def forward(ctx: Any, a: Tensor, b: Tensor) -> Any:
        ctx.remember(a, b)
        needs_a, needs_b = ctx.needs_input_grad
        ctx.save_for_backward(a if needs_b else None, b if needs_a else None)
        return kernels.mul(a.array, b.array)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        a, b = ctx.saved_tensors
        return ctx.gradients(lambda: grad * b, lambda: grad * a)


class Div(Binary):
    """y = a / b, so dy/da = 1 / b and dy/db = -a / b^2."""

    @staticmethod
    def forward(ctx: Any, a: Tensor, b: Tensor) -> Any:
        ctx.remember(a, b)
        ctx.save_for_backward(a if ctx.needs_input_grad[1] else None, b)
        return kernels.div(a.array, b.array)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        a, b = ctx.saved_tensors
        return ctx.gradients(lambda: grad / b, lambda: -grad * a / (b * b))


class Pow(Binary):
    """y = a^b, so dy/da = b a^(b-1) and dy/db = a^b log a.

    Where b = 0 the first is 0, and where a = 0 and b >= 0 the second is 0, as in PyTorch.
    """

    @staticmethod
    def forward(ctx: Any, a: Tensor, b: Tensor) -> Any:
        ctx.remember(a, b)
        ctx.save_for_backward(a, b)
        return kernels.pow(a.array, b.array)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        a, b = ctx.saved_tensors
        constant, flat = _special_powers(a, b)
        return ctx.gradients(
            lambda: grad * where(constant, 0.0, b * where(constant, 1.0, a) ** (b - 1)),
            lambda: grad * where(flat, 0.0, a**b * log(where(flat, 1.0, a))),
        )


@computed
def _special_powers(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """Where b = 0, and where a = 0 and b >= 0."""
    return Tensor(b.array == 0), Tensor((a.array == 0) & (b.array >= 0))


class Where(Function):
    """y = a where the condition holds, else b."""

    @staticmethod
    def forward(ctx: Any, condition: Tensor, a: Tensor, b: Tensor) -> Any:
        ctx.save_for_backward(condition)
        ctx.likes = ((a.shape, a.dtype), (b.shape, b.dtype))
        return array_module(a.array).where(condition.array, a.array, b.array)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        (condition,) = ctx.saved_tensors
        zero = _zero(grad)
        return (
            None,
            unbroadcast(Where.apply(condition, grad, zero), *ctx.likes[0]),
            unbroadcast(Where.apply(condition, zero, grad), *ctx.likes[1]),
        )


@constant
def _zero(like: Tensor) -> Tensor:
    return Tensor(array_module(like.array).zeros((), like.dtype))


class Neg(Function):
    """y = -x."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Any:
        return kernels.neg(x.array)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        return -grad


class Exp(Function):
    """y = e^x, its own derivative."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Any:
        y = kernels.exp(x.array)
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        (y,) = ctx.saved_tensors
        return grad * y


class Log(Function):
    """y = log x (natural), so dy/dx = 1 / x."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Any:
        ctx.save_for_backward(x)
        return kernels.log(x.array)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        (x,) = ctx.saved_tensors
        return grad / x


def add(input: Operand, other: Operand, *, alpha: float = 1) -> Tensor:
    """input + alpha * other, with broadcasting."""
    a, b = as_operands("add", input, other)
    return Add.apply(a, _scaled("add", b, alpha))


def sub(input: Operand, other: Operand, *, alpha: float = 1) -> Tensor:
    """input - alpha * other, with broadcasting."""
    a, b = as_operands("sub", input, other)
    if a.dtype.kind == b.dtype.kind == "b":
        raise DtypeError("sub", "input", f"of dtype {a.dtype}", "numbers, not truth values")
    return Sub.apply(a, _scaled("sub", b, alpha))


def _scaled(op: str, other: Tensor, alpha: Any) -> Tensor:
    if check_number(op, "alpha", alpha) == 1:
        return other
    if other.dtype.kind != "f" and not float(alpha).is_integer():
        raise ArgumentError(op, "alpha", alpha, f"a whole number for {other.dtype}")
    return mul(other, alpha)


def mul(input: Operand, other: Operand) -> Tensor:
    """input * other, element by element, with broadcasting."""
    return Mul.apply(*as_operands("mul", input, other))


def div(input: Operand, other: Operand, *, rounding_mode: str | None = None) -> Tensor:
    """input / other, with broadcasting; integers are divided as floats.

    With ``rounding_mode="floor"`` the largest whole number at most as large (`floor_divide`), with
    "trunc" what is before the point: whole numbers of the inputs' dtype, whose gradient is 0.
    """
    if rounding_mode is not None:
        from tinyconv.ops.division import divide_whole

        return divide_whole(input, other, rounding_mode)
    return Div.apply(*(as_floating(x) for x in as_operands("div", input, other)))


@on_its_gpu
def pow(input: Operand, exponent: Operand) -> Tensor:
    """input to the power of exponent, with broadcasting."""
    a, b = as_operands("pow", input, exponent)
    if a.dtype.kind != "f" and b.array.size and b.array.min() < 0:
        raise ArgumentError("pow", "exponent", "negative", "at least 0 for an integer input")
    return Pow.apply(a, b)


def neg(input: Tensor) -> Tensor:
    """-input."""
    if check_tensor("neg", "input", input).dtype.kind == "b":
        raise DtypeError("neg", "input", f"of dtype {input.dtype}", "numbers, not truth values")
    return Neg.apply(input)


def exp(input: Tensor) -> Tensor:
    """e to the power of input."""
    return Exp.apply(as_floating(check_tensor("exp", "input", input)))


def log(input: Tensor) -> Tensor:
    """Natural logarithm; -inf at 0 and nan below."""
    return Log.apply(as_floating(check_tensor("log", "input", input)))


def where(condition: Tensor, input: Operand = None, other: Operand = None) -> Any:
    """`input` where `condition` (a bool tensor) holds, else `other`, with broadcasting.

    Without both, the places where it holds: ``nonzero(condition, as_tuple=True)``.
    """
    if input is None and other is None:
        from tinyconv.ops.indexing import nonzero

        return nonzero(condition, as_tuple=True)
    if check_tensor("where", "condition", condition).dtype.kind != "b":
        raise DtypeError("where", "condition", f"of dtype {condition.dtype}", "a bool tensor")
    if not isinstance(input, Tensor) and not isinstance(other, Tensor):
        input = as_tensor(input)
    a, b = as_operands("where", input, other)
    broadcast_shape("where", condition.shape, a.shape, b.shape)
    return Where.apply(condition, a, b)
