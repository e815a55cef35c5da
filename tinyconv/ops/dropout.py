"""Dropout (Srivastava et al. 2014): of elements, of whole channels, and for self-normalising nets."""

from __future__ import annotations

from math import sqrt
from typing import Any

from tinyconv.autograd import Function
from tinyconv.device import array_module, seed
from tinyconv.errors import ArgumentError, ShapeError
from tinyconv.kernels import dropout as kernels
from tinyconv.ops._checks import check_flags, check_float
from tinyconv.ops.elementwise import where
from tinyconv.ops.shape import reshape
from tinyconv.ops.smooth_activation import SELU_ALPHA, SELU_SCALE
from tinyconv.recorder import repeated
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


def dropout(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Set each element to zero with probability `p`, and divide the others by 1 - p.

    The mask is a pure function of the seed, how many masks were drawn since `manual_seed`,
    and the element's position. With ``training=False`` the input is returned as it is.
    `inplace` is accepted, here and below; the result is a new tensor.

    Raises
    ------
    ArgumentError
        If `p` is not between 0 and 1.
    """
    check_flags("dropout", training=training, inplace=inplace)
    check_float("dropout", "input", input)
    p = check_probability("dropout", p)
    if not training or p == 0:
        return input
    return Dropout.apply(input, p, seed.get().next_mask_key())


def dropout1d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Set whole channels of (N, C, L) or (C, L) to zero with probability `p`; see `dropout2d`."""
    check_flags("dropout1d", training=training, inplace=inplace)
    return _channel_dropout("dropout1d", input, p, training, {2: 0, 3: 1}, "(N, C, L) or (C, L)")


def dropout2d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Set whole channels to zero with probability `p`, and divide the others by 1 - p.

    Neighbouring pixels are alike, so that dropping single ones hides little; a whole feature map
    is hidden from the next layer (Tompson et al. 2015).

    Parameters
    ----------
    input : Tensor, shape (N, C, H, W)
        Three dimensions mean (N, C, L), as in PyTorch.
    p : float
    training : bool
        With False the input is returned as it is.
    """
    check_flags("dropout2d", training=training, inplace=inplace)
    return _channel_dropout("dropout2d", input, p, training, {3: 1, 4: 1}, "(N, C, H, W) or (N, C, L)")


def dropout3d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Set whole channels of (N, C, D, H, W) or (C, D, H, W) to zero with probability `p`; see `dropout2d`."""
    check_flags("dropout3d", training=training, inplace=inplace)
    return _channel_dropout("dropout3d", input, p, training, {4: 0, 5: 1}, "(N, C, D, H, W) or (C, D, H, W)")


def alpha_dropout(input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False) -> Tensor:
    """Dropout that keeps mean 0 and variance 1, for nets with SELU (Klambauer et al. 2017).

    With probability `p` an element is set to SELU's limit at minus infinity, -1.758; then all
    are scaled and shifted so that zero mean and unit variance stay.
    """
    check_flags("alpha_dropout", training=training, inplace=inplace)
    return _alpha_dropout(
        "alpha_dropout", input, p, training, check_float("alpha_dropout", "input", input).ndim
    )


def feature_alpha_dropout(
    input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False
) -> Tensor:
    """`alpha_dropout` of whole channels of (N, C, *spatial)."""
    check_flags("feature_alpha_dropout", training=training, inplace=inplace)
    if check_float("feature_alpha_dropout", "input", input).ndim < 2:
        raise ShapeError("feature_alpha_dropout", "input", f"of shape {input.shape}", "(N, C, *spatial)")
    return _alpha_dropout("feature_alpha_dropout", input, p, training, 2)


def _alpha_dropout(op: str, input: Tensor, p: float, training: bool, dims: int) -> Tensor:
    """One decision per element of the first `dims` dimensions."""
    p = check_probability(op, p)
    if not training or p == 0:
        return input
    if p == 1:
        return input * 0.0
    limit = -SELU_ALPHA * SELU_SCALE
    keep = _mask(input, input.shape[:dims] + (1,) * (input.ndim - dims), p) > 0
    scale = 1 / sqrt((1 - p) * (1 + p * limit**2))
    return where(keep, input, limit) * scale - scale * p * limit


def check_probability(where: str, p: Any) -> float:
    """`p`, which must be a number from 0 to 1."""
    if not isinstance(p, int | float) or isinstance(p, bool) or not 0 <= p <= 1:
        raise ArgumentError(where, "p", repr(p), "a probability between 0 and 1")
    return float(p)


def _channel_dropout(
    op: str, input: Tensor, p: float, training: bool, channel_dim: dict[int, int], layout: str
) -> Tensor:
    """One decision per image and channel: `channel_dim` says where, for each number of dimensions."""
    if check_float(op, "input", input).ndim not in channel_dim:
        raise ShapeError(op, "input", f"of shape {input.shape}", f"shape {layout}")
    p = check_probability(op, p)
    if not training or p == 0:
        return input
    maps = input.shape[: channel_dim[input.ndim] + 1]
    return input * reshape(_mask(input, maps, p), (*maps, *(1,) * (input.ndim - len(maps))))


@repeated
def _mask(like: Tensor, shape: tuple[int, ...], p: float) -> Tensor:
    """Numbers of this shape that are 0 with probability p, else 1 / (1 - p)."""
    ones = array_module(like.array).ones(shape, like.dtype)
    return Tensor(kernels.dropout(ones, p, seed.get().next_mask_key()))
