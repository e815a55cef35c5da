"""The larger and the smaller of two, and clamping to a range.

These have kinks, and the gradient there is PyTorch's: two equal numbers share it half and half;
`clamp` passes it on at its limits.
"""

from __future__ import annotations

from typing import Any

from tinyconv.device import array_module
from tinyconv.errors import ArgumentError
from tinyconv.kernels import elementwise as kernels
from tinyconv.ops._checks import broadcast_shape, check_tensor
from tinyconv.ops.elementwise import Binary, Where
from tinyconv.ops.operands import Operand, as_operands, unbroadcast
from tinyconv.tensor import Tensor


class Maximum(Binary):
    """y = the larger of a and b, which gets the gradient."""

    @staticmethod
    def forward(ctx: Any, a: Tensor, b: Tensor) -> Any:
        ctx.remember(a, b)
        ctx.ties, ctx.first_loses, ctx.second_loses = _duel(a.array, b.array)
        return kernels.maximum(a.array, b.array)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        half = Where.apply(ctx.ties, grad / 2, grad)
        return ctx.gradients(lambda: _masked(half, ctx.first_loses), lambda: _masked(half, ctx.second_loses))


class Minimum(Binary):
    """y = the smaller of a and b, which gets the gradient."""

    @staticmethod
    def forward(ctx: Any, a: Tensor, b: Tensor) -> Any:
        ctx.remember(a, b)
        ctx.ties, ctx.second_loses, ctx.first_loses = _duel(a.array, b.array)
        return kernels.minimum(a.array, b.array)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        return Maximum.backward(ctx, grad)


class Clamp(Binary):
    """y = x, but at least `low` and at most `high`; where low > high, y = high.

    x gets the gradient from low to high, both included, and a limit where x is beyond it.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, low: Tensor | None, high: Tensor | None) -> Any:
        ctx.likes = tuple(None if t is None else (t.shape, t.dtype) for t in (x, low, high))
        y, at_low, at_high, outside = x.array, False, False, x.array != x.array
        if low is not None:
            y, at_low = kernels.maximum(y, low.array), x.array < low.array
            outside = outside | at_low
        if high is not None:
            y, at_high = kernels.minimum(y, high.array), x.array > high.array
            outside = outside | at_high
        if low is not None and high is not None:
            at_low = at_low & (low.array < high.array)
            at_high = at_high | (high.array < low.array)
        xp = array_module(y)
        ctx.masks = tuple(Tensor(xp.asarray(mask)) for mask in (~outside, at_low, at_high))
        return y

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        zero = _zero(grad)
        return tuple(
            unbroadcast(Where.apply(mask, grad, zero), *like) if needed else None
            for mask, like, needed in zip(ctx.masks, ctx.likes, ctx.needs_input_grad, strict=True)
        )


def _duel(a: Any, b: Any) -> tuple[Tensor, Tensor, Tensor]:
    """Where both are equal, where the first is smaller, where the second is."""
    xp = array_module(a)
    return Tensor(xp.equal(a, b)), Tensor(xp.less(a, b)), Tensor(xp.greater(a, b))


def _masked(grad: Tensor, mask: Tensor) -> Tensor:
    return Where.apply(mask, _zero(grad), grad)


def _zero(grad: Tensor) -> Tensor:
    return Tensor(array_module(grad.array).zeros((), grad.dtype))


def maximum(input: Tensor, other: Tensor) -> Tensor:
    """The larger of two, element by element, with broadcasting; nan if either is.

    Where both are equal each gets half of the gradient.
    """
    check_tensor("maximum", "other", other)
    return Maximum.apply(*as_operands("maximum", check_tensor("maximum", "input", input), other))


def minimum(input: Tensor, other: Tensor) -> Tensor:
    """The smaller of two, element by element, with broadcasting; nan if either is.

    Where both are equal each gets half of the gradient.
    """
    check_tensor("minimum", "other", other)
    return Minimum.apply(*as_operands("minimum", check_tensor("minimum", "input", input), other))


def clamp(input: Tensor, min: Operand = None, max: Operand = None) -> Tensor:
    """`input`, but at least `min` and at most `max`; where min > max, the result is max.

    Parameters
    ----------
    input : Tensor
    min, max : number or Tensor, optional
        At least one of them; tensors broadcast, and get the gradient where the input is beyond
        them. The input gets it from min to max, both included.

    Examples
    --------
    >>> import tinyconv as tc
    >>> tc.clamp(tc.tensor([-2.0, 0.5, 2.0]), 0, 1).tolist()
    [0.0, 0.5, 1.0]
    """
    check_tensor("clamp", "input", input)
    if min is None and max is None:
        raise ArgumentError("clamp", "min and max", "both None", "at least one of them")
    x, low = (input, None) if min is None else as_operands("clamp", input, min)
    x, high = (x, None) if max is None else as_operands("clamp", x, max)
    if low is not None and low.dtype != x.dtype:
        x, low = as_operands("clamp", x, low)
    broadcast_shape("clamp", x.shape, *(bound.shape for bound in (low, high) if bound is not None))
    return Clamp.apply(x, low, high)
