"""Whole-number division and its remainder."""

from __future__ import annotations

from typing import Any

from tinyconv.device import on_its_gpu
from tinyconv.errors import ArgumentError
from tinyconv.kernels import elementwise as kernels
from tinyconv.ops._checks import check_choice
from tinyconv.ops.elementwise import Binary, where
from tinyconv.ops.operands import Operand, as_operands
from tinyconv.ops.unary import Zero, trunc
from tinyconv.tensor import Tensor


class FloorDivide(Binary):
    """y = floor(a / b): steps, whose derivative is 0."""

    @staticmethod
    def forward(ctx: Any, a: Tensor, b: Tensor) -> Any:
        ctx.remember(a, b)
        return kernels.floor_divide(a.array, b.array)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        return ctx.gradients(lambda: Zero.apply(grad), lambda: Zero.apply(grad))


class Remainder(Binary):
    """y = a - b floor(a / b), so dy/da = 1 and dy/db = -floor(a / b)."""

    @staticmethod
    def forward(ctx: Any, a: Tensor, b: Tensor) -> Any:
        ctx.remember(a, b)
        ctx.save_for_backward(a, b)
        return kernels.remainder(a.array, b.array)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        a, b = ctx.saved_tensors
        return ctx.gradients(lambda: grad, lambda: -grad * floor_divide(a, b))


def floor_divide(input: Operand, other: Operand) -> Tensor:
    """The largest whole number at most input / other, with broadcasting. The gradient is 0."""
    return FloorDivide.apply(*_operands("floor_divide", input, other))


def divide_whole(input: Operand, other: Operand, rounding_mode: str) -> Tensor:
    """What `div` does with a `rounding_mode`."""
    mode = check_choice("div", "rounding_mode", rounding_mode, ("floor", "trunc"))
    a, b = _operands("div", input, other)
    if mode == "floor":
        return FloorDivide.apply(a, b)
    if a.dtype.kind == "f" or b.dtype.kind == "f":
        return trunc(a / b)
    rounded = FloorDivide.apply(a, b)
    return where((a != rounded * b) & ((a < 0) != (b < 0)), rounded + 1, rounded)


def remainder(input: Operand, other: Operand) -> Tensor:
    """What `floor_divide` leaves over; it has the sign of `other`.

    Examples
    --------
    >>> import tinyconv as tc
    >>> tc.remainder(tc.tensor([-3, 3]), 2).tolist()
    [1, 1]
    """
    return Remainder.apply(*_operands("remainder", input, other))


@on_its_gpu
def _operands(op: str, input: Operand, other: Operand) -> tuple[Tensor, Tensor]:
    a, b = as_operands(op, input, other)
    if a.dtype.kind != "f" and b.dtype.kind != "f" and not b.array.all():
        raise ArgumentError(op, "other", "0", "a divisor other than 0 for integers")
    return a, b
