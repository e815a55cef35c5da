"""Ops that exchange channels for pixels, or channels for one another."""

from __future__ import annotations

from tinyconv.errors import ArgumentError, ShapeError
from tinyconv.ops._checks import check_positive, check_tensor
from tinyconv.ops.shape import permute, reshape
from tinyconv.tensor import Tensor


def pixel_shuffle(input: Tensor, upscale_factor: int) -> Tensor:
    """Spread r^2 channels over r x r pixels: (..., C r^2, H, W) becomes (..., C, H r, W r).

    Sub-pixel convolution (Shi et al. 2016): a convolution computes the r^2 channels of a small image,
    and this makes a large one of them.

    Examples
    --------
    >>> import tinyconv as tc
    >>> import tinyconv.nn.functional as F
    >>> F.pixel_shuffle(tc.arange(4.0).reshape(1, 4, 1, 1), 2).tolist()
    [[[[0.0, 1.0], [2.0, 3.0]]]]
    """
    op = "pixel_shuffle"
    r = check_positive(op, "upscale_factor", upscale_factor)
    _check_image(op, input)
    *batch, channels, height, width = input.shape
    if channels % (r * r):
        expected = f"channels (third from last) a multiple of upscale_factor^2 = {r * r}"
        raise ShapeError(op, "input", f"of shape {input.shape}", expected)
    x = reshape(input, (*batch, channels // (r * r), r, r, height, width))
    x = _permute_last(x, (0, 3, 1, 4, 2))
    return reshape(x, (*batch, channels // (r * r), height * r, width * r))


def pixel_unshuffle(input: Tensor, downscale_factor: int) -> Tensor:
    """The inverse of `pixel_shuffle`: (..., C, H r, W r) becomes (..., C r^2, H, W)."""
    op = "pixel_unshuffle"
    r = check_positive(op, "downscale_factor", downscale_factor)
    _check_image(op, input)
    *batch, channels, height, width = input.shape
    if height % r or width % r:
        expected = f"height and width multiples of downscale_factor = {r}"
        raise ShapeError(op, "input", f"of shape {input.shape}", expected)
    x = reshape(input, (*batch, channels, height // r, r, width // r, r))
    x = _permute_last(x, (0, 2, 4, 1, 3))
    return reshape(x, (*batch, channels * r * r, height // r, width // r))


def channel_shuffle(input: Tensor, groups: int) -> Tensor:
    """Deal the channels of (N, C, *spatial) out in turn: the first of each group, the second of each, …

    So that grouped convolutions see each other's channels (ShuffleNet, Zhang et al. 2018).
    """
    op = "channel_shuffle"
    count = check_positive(op, "groups", groups)
    if check_tensor(op, "input", input).ndim < 3:
        raise ShapeError(op, "input", f"of shape {input.shape}", "(N, C, *spatial)")
    batch, channels, *spatial = input.shape
    if channels % count:
        raise ArgumentError(op, "groups", groups, f"a divisor of the {channels} channels")
    x = reshape(input, (batch, count, channels // count, *spatial))
    return reshape(permute(x, (0, 2, 1, *range(3, x.ndim))), input.shape)


def _check_image(op: str, input: Tensor) -> None:
    if check_tensor(op, "input", input).ndim < 3:
        raise ShapeError(op, "input", f"of shape {input.shape}", "(..., C, H, W)")


def _permute_last(x: Tensor, dims: tuple[int, ...]) -> Tensor:
    """The last dimensions in another order."""
    lead = x.ndim - len(dims)
    return permute(x, (*range(lead), *(lead + d for d in dims)))
