"""Activation functions made of straight pieces, besides ReLU and leaky ReLU."""

from __future__ import annotations

from typing import Any

from tinyconv.autograd import Function
from tinyconv.errors import ArgumentError, ShapeError
from tinyconv.kernels import activation as kernels
from tinyconv.ops._checks import check_flags, check_float, check_number, check_same_dtype
from tinyconv.ops.comparison import gt
from tinyconv.ops.elementwise import where
from tinyconv.ops.shape import reshape
from tinyconv.tensor import Tensor


class Hardtanh(Function):
    """y = x between two limits, else the limit; the gradient at the limits is 0."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, min_val: float, max_val: float) -> Any:
        ctx.save_for_backward(x)
        ctx.limits = min_val, max_val
        return kernels.hardtanh(x.array, min_val, max_val)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        (x,) = ctx.saved_tensors
        return HardtanhBackward.apply(grad, x.detach(), *ctx.limits), None, None


class HardtanhBackward(Function):
    """grad between the limits, else 0."""

    @staticmethod
    def forward(ctx: Any, grad: Tensor, x: Tensor, min_val: float, max_val: float) -> Any:
        ctx.save_for_backward(x)
        ctx.limits = min_val, max_val
        return kernels.hardtanh_backward(grad.array, x.array, min_val, max_val)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        (x,) = ctx.saved_tensors
        return HardtanhBackward.apply(grad, x, *ctx.limits), None, None, None


def hardtanh(input: Tensor, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> Tensor:
    """x between `min_val` and `max_val`, else the nearer of them; the gradient at both is 0."""
    check_flags("hardtanh", inplace=inplace)
    check_float("hardtanh", "input", input)
    low, high = check_number("hardtanh", "min_val", min_val), check_number("hardtanh", "max_val", max_val)
    if not low <= high:
        raise ArgumentError("hardtanh", "min_val", repr(min_val), f"at most max_val = {max_val}")
    return Hardtanh.apply(input, low, high)


def relu6(input: Tensor, inplace: bool = False) -> Tensor:
    """min(max(0, x), 6) (Krizhevsky 2010); the gradient at 0 and at 6 is 0."""
    check_flags("relu6", inplace=inplace)
    return Hardtanh.apply(check_float("relu6", "input", input), 0.0, 6.0)


def prelu(input: Tensor, weight: Tensor) -> Tensor:
    """x where x > 0, else ``weight * x``, with learned weights (He et al. 2015).

    Parameters
    ----------
    input : Tensor of any shape, or (N, C, *spatial)
    weight : Tensor, shape (1,) or (C,)
        One slope for all, or one per channel. The gradient at 0 is the slope.
    """
    check_float("prelu", "input", input)
    if check_float("prelu", "weight", weight).ndim > 1:
        raise ShapeError("prelu", "weight", f"of shape {weight.shape}", "shape (1,) or (C,)")
    check_same_dtype("prelu", input=input, weight=weight)
    slope = reshape(weight, ()) if weight.numel() == 1 else _per_channel(input, weight)
    positive = gt(input, 0)
    return where(positive, input, slope * where(positive, 0.0, input))


def _per_channel(input: Tensor, weight: Tensor) -> Tensor:
    channels = input.shape[1] if input.ndim > 1 else 1
    if weight.numel() != channels:
        expected = f"shape (1,) or ({channels},) for an input of shape {input.shape}"
        raise ShapeError("prelu", "weight", f"of shape {weight.shape}", expected)
    return reshape(weight, (1, channels, *(1,) * (input.ndim - 2)))
