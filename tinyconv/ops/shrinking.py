"""Functions that leave large values as they are and pull small ones to zero, or to another value."""

from __future__ import annotations

from tinyconv.device import on_its_gpu
from tinyconv.kernels import fused_activation as fused
from tinyconv.ops._checks import check_flags, check_float, check_number
from tinyconv.ops.activation import tanh
from tinyconv.ops.comparison import ge, le, logical_and
from tinyconv.ops.elementwise import where
from tinyconv.ops.fused_activation import Fused
from tinyconv.ops.loss_common import check_at_least
from tinyconv.ops.unary import abs as abs_
from tinyconv.tensor import Tensor


@on_its_gpu
def threshold(input: Tensor, threshold: float, value: float, inplace: bool = False) -> Tensor:
    """x where x > `threshold`, else `value`; the gradient at the threshold is 0.

    Examples
    --------
    >>> import tinyconv as tc
    >>> import tinyconv.nn.functional as F
    >>> F.threshold(tc.tensor([0.5, 1.0, 2.0]), 1.0, -7.0).tolist()
    [-7.0, -7.0, 2.0]
    """
    check_flags("threshold", inplace=inplace)
    check_float("threshold", "input", input)
    low = check_number("threshold", "threshold", threshold)
    return where(Tensor(input.array <= low), check_number("threshold", "value", value), input)


def hardshrink(input: Tensor, lambd: float = 0.5) -> Tensor:
    """x where it is beyond `lambd` or below -`lambd`, else 0; the gradient at both is 0."""
    check_float("hardshrink", "input", input)
    width = check_number("hardshrink", "lambd", lambd)
    return Fused.apply(input, fused.hardshrink, fused.shrink_backward, shrink_derivative, width)


def softshrink(input: Tensor, lambd: float = 0.5) -> Tensor:
    """x moved towards 0 by `lambd`, but not past it; the gradient at `lambd` and -`lambd` is 0."""
    check_float("softshrink", "input", input)
    width = check_at_least("softshrink", "lambd", lambd, 0)
    return Fused.apply(input, fused.softshrink, fused.shrink_backward, shrink_derivative, width)


def shrink_derivative(x: Tensor, width: float) -> Tensor:
    """0 where x lies between -width and width, else 1."""
    return 1 - logical_and(ge(x, -width), le(x, width)).to(x.dtype)


def tanhshrink(input: Tensor) -> Tensor:
    """``x - tanh(x)``."""
    check_float("tanhshrink", "input", input)
    return Fused.apply(input, fused.tanhshrink, fused.tanhshrink_backward, tanhshrink_derivative)


def tanhshrink_derivative(x: Tensor) -> Tensor:
    """tanh(x)^2."""
    t = tanh(x)
    return t * t


def softsign(input: Tensor) -> Tensor:
    """``x / (1 + |x|)`` (Turian et al. 2009)."""
    check_float("softsign", "input", input)
    return Fused.apply(input, fused.softsign, fused.softsign_backward, softsign_derivative)


def softsign_derivative(x: Tensor) -> Tensor:
    """1 / (1 + |x|)^2."""
    return (1 + abs_(x)) ** -2
