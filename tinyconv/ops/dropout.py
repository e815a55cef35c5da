"""Dropout (Srivastava et al. 2014)."""

from __future__ import annotations

from typing import Any

from tinyconv.autograd import Function
from tinyconv.device import seed
from tinyconv.errors import ArgumentError
from tinyconv.kernels import dropout as kernels
from tinyconv.ops._checks import check_float
from tinyconv.tensor import Tensor


class Dropout(Function):
    """y = x mask / (1 - p). Nothing is saved: the mask is computed again from its key."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, p: float, key: tuple[int, int]) -> Any:
        ctx.p, ctx.key = p, key
        return kernels.dropout(x.array, p, key)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        return Dropout.apply(grad, ctx.p, ctx.key), None, None


def dropout(input: Tensor, p: float = 0.5, training: bool = True) -> Tensor:
    """Set each element to zero with probability `p`, and divide the others by 1 - p.

    The mask is a pure function of the seed, how many masks were drawn since `manual_seed`,
    and the element's position. With ``training=False`` the input is returned as it is.

    Raises
    ------
    ArgumentError
        If `p` is not between 0 and 1.
    """
    check_float("dropout", "input", input)
    if not isinstance(p, int | float) or not 0 <= p <= 1:
        raise ArgumentError("dropout", "p", repr(p), "a probability between 0 and 1")
    if not training or p == 0:
        return input
    return Dropout.apply(input, float(p), seed.get().next_mask_key())
