"""Adaptive pooling: the size of the output is given, the windows are cut to fit.

Output i of m sees the pixels from floor(i n / m) to ceil((i + 1) n / m) - 1 of n. With an
output of size 1 that is global pooling.
"""

from __future__ import annotations

from typing import Any

from tinyconv.autograd import Function
from tinyconv.device import int64
from tinyconv.errors import ShapeError
from tinyconv.kernels import adaptive_pooling as kernels
from tinyconv.ops._checks import check_flags, check_float, int_tuple
from tinyconv.ops._images import Sizes, with_batch, without_batch
from tinyconv.ops.pooling import PoolScatter
from tinyconv.tensor import Tensor

OutputSize = int | tuple[int | None, ...] | None


class AdaptiveAvgPool(Function):
    """y = the mean of each window."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, size: Sizes) -> Any:
        ctx.size = x.shape[2:]
        return kernels.adaptive_avg_pool(x.array, size)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        return AdaptiveAvgPoolBackward.apply(grad, ctx.size), None


class AdaptiveAvgPoolBackward(Function):
    """Each window's gradient, shared equally by its pixels: the adjoint of `AdaptiveAvgPool`."""

    @staticmethod
    def forward(ctx: Any, grad: Tensor, size: Sizes) -> Any:
        ctx.size = grad.shape[2:]
        return kernels.adaptive_avg_pool_backward(grad.array, size)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        return AdaptiveAvgPool.apply(grad, ctx.size), None


class AdaptiveMaxPool(Function):
    """y = the largest value of each window; the second output says where it was."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, size: Sizes) -> Any:
        y, indices = kernels.adaptive_max_pool(x.array, size)
        ctx.save_for_backward(indices)
        ctx.size = x.shape[2:]
        return y, indices

    @staticmethod
    def backward(ctx: Any, grad: Tensor, _: Any) -> Any:
        (indices,) = ctx.saved_tensors
        return PoolScatter.apply(grad, indices, ctx.size), None


def adaptive_avg_pool1d(input: Tensor, output_size: OutputSize) -> Tensor:
    """The means of `output_size` windows of `input` (N, C, L) or (C, L); see `adaptive_avg_pool2d`."""
    return _avg_pool("adaptive_avg_pool1d", 1, input, output_size)


def adaptive_avg_pool2d(input: Tensor, output_size: OutputSize) -> Tensor:
    """The means of so many windows that the output has a given size.

    Parameters
    ----------
    input : Tensor
        Shape (N, C, H, W), or (C, H, W) for one image.
    output_size : int or pair
        Height and width of the output; None keeps the input's. 1 gives the mean of each channel.

    Returns
    -------
    Tensor
        Shape (N, C, *output_size), or without N.

    Raises
    ------
    ShapeError, DtypeError, ArgumentError
        Naming the argument; also for an input without pixels.

    Examples
    --------
    >>> import tinyconv as tc
    >>> import tinyconv.nn.functional as F
    >>> x = tc.arange(9.0).reshape(1, 3, 3)
    >>> F.adaptive_avg_pool2d(x, 1).item(), F.adaptive_avg_pool2d(x, 2).tolist()
    (4.0, [[[2.0, 3.0], [5.0, 6.0]]])
    """
    return _avg_pool("adaptive_avg_pool2d", 2, input, output_size)


def adaptive_avg_pool3d(input: Tensor, output_size: OutputSize) -> Tensor:
    """The means of so many windows of `input` (N, C, D, H, W) or (C, D, H, W) as `output_size` says.

    Arguments and errors are those of `adaptive_avg_pool2d`, with one number or three.
    """
    return _avg_pool("adaptive_avg_pool3d", 3, input, output_size)


def adaptive_max_pool1d(input: Tensor, output_size: OutputSize, return_indices: bool = False) -> Any:
    """The maxima of `output_size` windows of `input` (N, C, L) or (C, L); see `adaptive_max_pool2d`."""
    check_flags("adaptive_max_pool1d", return_indices=return_indices)
    return _max_pool("adaptive_max_pool1d", 1, input, output_size, return_indices)


def adaptive_max_pool2d(input: Tensor, output_size: OutputSize, return_indices: bool = False) -> Any:
    """The maxima of so many windows that the output has a given size.

    Parameters
    ----------
    input : Tensor
        Shape (N, C, H, W), or (C, H, W) for one image.
    output_size : int or pair
        Height and width of the output; None keeps the input's. 1 gives the maximum of each channel.
    return_indices : bool
        Return also the int64 positions of the maxima in each (H, W) plane.

    Raises
    ------
    ShapeError, DtypeError, ArgumentError
        Naming the argument; also for an input without pixels.

    Examples
    --------
    >>> import tinyconv as tc
    >>> import tinyconv.nn.functional as F
    >>> y, indices = F.adaptive_max_pool2d(tc.arange(9.0).reshape(1, 3, 3), 2, return_indices=True)
    >>> y.tolist(), indices.tolist()
    ([[[4.0, 5.0], [7.0, 8.0]]], [[[4, 5], [7, 8]]])
    """
    check_flags("adaptive_max_pool2d", return_indices=return_indices)
    return _max_pool("adaptive_max_pool2d", 2, input, output_size, return_indices)


def adaptive_max_pool3d(input: Tensor, output_size: OutputSize, return_indices: bool = False) -> Any:
    """The maxima of so many windows of `input` (N, C, D, H, W) or (C, D, H, W) as `output_size` says.

    Arguments and errors are those of `adaptive_max_pool2d`, with one number or three; indices
    count through each (D, H, W) volume.
    """
    check_flags("adaptive_max_pool3d", return_indices=return_indices)
    return _max_pool("adaptive_max_pool3d", 3, input, output_size, return_indices)


def _avg_pool(op: str, dims: int, input: Tensor, output_size: OutputSize) -> Tensor:
    x, size, single = _check(op, dims, input, output_size)
    return without_batch(AdaptiveAvgPool.apply(x, size), single)


def _max_pool(op: str, dims: int, input: Tensor, output_size: OutputSize, return_indices: bool) -> Any:
    x, size, single = _check(op, dims, input, output_size)
    y, indices = AdaptiveMaxPool.apply(x, size)
    y = without_batch(y, single)
    return (y, without_batch(indices.to(int64), single)) if return_indices else y


def _check(op: str, dims: int, input: Tensor, output_size: OutputSize) -> tuple[Tensor, Sizes, bool]:
    """The input with a batch dimension, the output's size, and whether the batch dimension was added."""
    x, single = with_batch(op, "input", check_float(op, "input", input), dims)
    if 0 in x.shape[2:]:
        raise ShapeError(op, "input", f"of shape {input.shape}", "at least one pixel in each dimension")
    asked = output_size if isinstance(output_size, list | tuple) else (output_size,) * dims
    if len(asked) == dims:
        asked = tuple(n if m is None else m for n, m in zip(x.shape[2:], asked, strict=True))
    return x, int_tuple(op, "output_size", asked, dims, 1), single
