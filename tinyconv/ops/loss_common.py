"""What the losses share: the reduction, the checks, and the pieces with a kink.

Most losses are compositions of other ops, so their derivatives need no lines of their own. The
exceptions are where a composition would divide by zero or overflow, and where the derivative at
a kink has to be chosen; the choices are PyTorch's.
"""

from __future__ import annotations

from typing import Any

from tinyconv.autograd import Function
from tinyconv.device import array_module
from tinyconv.errors import ArgumentError, ShapeError
from tinyconv.ops._checks import check_choice, check_float, check_number, check_same_dtype, check_tensor
from tinyconv.ops.reduction import mean
from tinyconv.ops.reduction import sum as sum_
from tinyconv.tensor import Tensor

REDUCTIONS = ("mean", "sum", "none")


class Absolute(Function):
    """y = |x|, whose derivative is the sign of x: 0 at 0."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Any:
        ctx.save_for_backward(x)
        return array_module(x.array).asarray(abs(x.array))

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        (x,) = ctx.saved_tensors
        return grad * Tensor(array_module(x.array).asarray(array_module(x.array).sign(x.array)))


class Clip(Function):
    """y = x held between `low` and `high`; the derivative is 1 there, the two ends included."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, low: float, high: float) -> Any:
        module = array_module(x.array)
        inside = module.asarray((x.array >= low) & (x.array <= high))
        ctx.inside = Tensor(inside.astype(x.dtype))
        return module.asarray(x.array.clip(low, high))

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        return grad * ctx.inside, None, None


def absolute(x: Tensor) -> Tensor:
    """|x|, differentiable."""
    return Absolute.apply(x)


def at_least_zero(x: Tensor) -> Tensor:
    """max(x, 0), with derivative 1 at 0 (`relu` has 0 there): the hinge of the margin losses."""
    return Clip.apply(x, 0.0, float("inf"))


def reduce_loss(loss: Tensor, reduction: str) -> Tensor:
    """The mean, the sum, or each element as it is."""
    return {"mean": mean, "sum": sum_, "none": lambda each: each}[reduction](loss)


def check_reduction(op: str, reduction: Any) -> str:
    """`reduction`, which must be "mean", "sum" or "none"."""
    return check_choice(op, "reduction", reduction, REDUCTIONS)


def check_pair(op: str, input: Tensor, target: Tensor) -> None:
    """Two float tensors of one dtype and one shape."""
    check_like(op, input=input, target=target)


def check_shares(op: str, argument: str, values: Tensor, hint: str) -> None:
    """All values lie between 0 and 1 (or are NaN)."""
    if values.numel():
        low, high = values.array.min(), values.array.max()
        if low < 0 or high > 1:
            raise ArgumentError(op, argument, f"from {low} to {high}", f"values between 0 and 1 ({hint})")


def check_like(op: str, **tensors: Tensor) -> None:
    """Float tensors of one dtype, all of the first one's shape: nothing is broadcast."""
    (first, leader), *others = tensors.items()
    for name, tensor in tensors.items():
        check_float(op, name, tensor)
    check_same_dtype(op, **tensors)
    for name, tensor in others:
        if tensor.shape != leader.shape:
            raise ShapeError(
                op, name, f"of shape {tensor.shape}", f"the shape of the {first}, {leader.shape}"
            )


def check_factor(op: str, argument: str, factor: Tensor | None, input: Tensor) -> None:
    """`factor` is None, or a tensor that broadcasts to the shape of `input`."""
    if factor is None:
        return
    check_same_dtype(op, input=input, **{argument: check_float(op, argument, factor)})
    sizes = zip(reversed(factor.shape), reversed(input.shape), strict=False)
    if factor.ndim > input.ndim or any(m not in (1, n) for m, n in sizes):
        raise ShapeError(op, argument, f"of shape {factor.shape}", f"one that broadcasts to {input.shape}")


def check_signs(op: str, target: Tensor, shape: tuple[int, ...]) -> None:
    """`target` has this shape, and holds nothing but 1 and -1."""
    if check_tensor(op, "target", target).shape != shape:
        raise ShapeError(op, "target", f"of shape {target.shape}", f"{shape}")
    wrong = target.array[abs(target.array.astype("float64")) != 1]
    if wrong.size:
        raise ArgumentError(op, "target", f"{wrong[0]} somewhere", "1 or -1 everywhere")


def check_at_least(op: str, argument: str, value: Any, low: float) -> float:
    """`value`, which must be a number >= `low`."""
    if not check_number(op, argument, value) >= low:
        raise ArgumentError(op, argument, repr(value), f"a number >= {low:g}")
    return float(value)


def check_above_zero(op: str, argument: str, value: Any) -> float:
    """`value`, which must be a number > 0."""
    if not check_number(op, argument, value) > 0:
        raise ArgumentError(op, argument, repr(value), "a number > 0")
    return float(value)
