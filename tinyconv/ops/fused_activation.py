"""An activation function as one op, though its formula has several steps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tinyconv.autograd import Function
from tinyconv.grad_mode import is_grad_enabled
from tinyconv.tensor import Tensor

Kernel = Callable[..., Any]
Derivative = Callable[..., Tensor]


class Fused(Function):
    """y = f(x), by one kernel; another multiplies the gradient by f'(x), each in one pass over memory.

    `derivative` is f' written with ops, for a gradient that is to be differentiated again.
    """

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, kernel: Kernel, backward: Kernel, derivative: Derivative, *numbers: float
    ) -> Any:
        ctx.save_for_backward(x)
        ctx.kernel, ctx.derivative, ctx.numbers = backward, derivative, numbers
        return kernel(x.array, *numbers)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        (x,) = ctx.saved_tensors
        if is_grad_enabled():
            x_grad = grad * ctx.derivative(x, *ctx.numbers)
        else:
            x_grad = FusedGradient.apply(grad, x, ctx.kernel, *ctx.numbers)
        return x_grad, None, None, None, *[None] * len(ctx.numbers)


class FusedGradient(Function):
    """grad f'(x), where nothing is to be differentiated again."""

    @staticmethod
    def forward(ctx: Any, grad: Tensor, x: Tensor, kernel: Kernel, *numbers: float) -> Any:
        return kernel(grad.array, x.array, *numbers)
