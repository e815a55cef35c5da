"""Max pooling, in 1, 2 and 3 dimensions.

Max pooling keeps, for each window, the largest value and where it was found. Its gradient
is put back there (`PoolScatter`, the adjoint of `PoolGather`).
"""

from __future__ import annotations

from typing import Any

from tinyconv.autograd import Function
from tinyconv.device import int64
from tinyconv.errors import ArgumentError, ShapeError
from tinyconv.kernels import pooling as kernels
from tinyconv.kernels.reference.pooling import check_windows, pool_output_size
from tinyconv.ops._checks import check_flags, check_float, int_tuple, window_error
from tinyconv.ops._images import IntOrTuple, Sizes, with_batch, without_batch
from tinyconv.tensor import Tensor


class MaxPool(Function):
    """y = the largest value of each window; the second output says where it was."""

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        kernel_size: Sizes,
        stride: Sizes,
        padding: Sizes,
        dilation: Sizes,
        ceil_mode: bool,
    ) -> Any:
        y, indices = kernels.max_pool(x.array, kernel_size, stride, padding, dilation, ceil_mode)
        ctx.save_for_backward(indices)
        ctx.size = x.shape[2:]
        ctx.geometry = kernel_size, stride, padding, dilation
        return y, indices

    @staticmethod
    def backward(ctx: Any, grad: Tensor, _: Any) -> Any:
        (indices,) = ctx.saved_tensors
        return PoolScatter.apply(grad, indices, ctx.size), *[None] * 5


class PoolScatter(Function):
    """y = zeros of `size` with x added at `indices`."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, indices: Tensor, size: Sizes) -> Any:
        ctx.save_for_backward(indices)
        return kernels.pool_scatter(x.array, indices.array, size)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        (indices,) = ctx.saved_tensors
        return PoolGather.apply(grad, indices), None, None


class PoolGather(Function):
    """y = the values of x at `indices`."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, indices: Tensor) -> Any:
        ctx.save_for_backward(indices)
        ctx.size = x.shape[2:]
        return kernels.pool_gather(x.array, indices.array)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        (indices,) = ctx.saved_tensors
        return PoolScatter.apply(grad, indices, ctx.size), None


def max_pool1d(
    input: Tensor,
    kernel_size: IntOrTuple,
    stride: IntOrTuple | None = None,
    padding: IntOrTuple = 0,
    dilation: IntOrTuple = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The largest value of each window of `input` (N, C, L) or (C, L).

    Arguments and errors are those of `max_pool2d`.

    Examples
    --------
    >>> import tinyconv as tc
    >>> import tinyconv.nn.functional as F
    >>> F.max_pool1d(tc.tensor([[1.0, 5, 2, 4]]), 2).tolist()
    [[5.0, 4.0]]
    """
    check_flags("max_pool1d", ceil_mode=ceil_mode, return_indices=return_indices)
    window = (kernel_size, stride, padding, dilation)
    return _max_pool("max_pool1d", 1, input, *window, ceil_mode, return_indices)


def max_pool2d(
    input: Tensor,
    kernel_size: IntOrTuple,
    stride: IntOrTuple | None = None,
    padding: IntOrTuple = 0,
    dilation: IntOrTuple = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The largest value of each window.

    Parameters
    ----------
    input : Tensor
        Shape (N, C, H, W), or (C, H, W) for one image.
    kernel_size, stride, padding, dilation : int or pair
        The window; `stride` is `kernel_size` by default. Padding is minus infinity: it never wins.
    ceil_mode : bool
        Also use windows that hang over the end.
    return_indices : bool
        Return also the int64 positions of the maxima in each (H, W) plane, for `max_unpool2d`.

    Raises
    ------
    ShapeError, DtypeError, ArgumentError
        Naming the argument; also for a window larger than the padded input.

    Examples
    --------
    >>> import tinyconv as tc
    >>> import tinyconv.nn.functional as F
    >>> F.max_pool2d(tc.arange(16.0).reshape(1, 1, 4, 4), 2).tolist()
    [[[[5.0, 7.0], [13.0, 15.0]]]]
    """
    check_flags("max_pool2d", ceil_mode=ceil_mode, return_indices=return_indices)
    window = (kernel_size, stride, padding, dilation)
    return _max_pool("max_pool2d", 2, input, *window, ceil_mode, return_indices)


def max_pool3d(
    input: Tensor,
    kernel_size: IntOrTuple,
    stride: IntOrTuple | None = None,
    padding: IntOrTuple = 0,
    dilation: IntOrTuple = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The largest value of each window of `input` (N, C, D, H, W) or (C, D, H, W).

    Arguments and errors are those of `max_pool2d`, with one number or three; indices count
    through each (D, H, W) volume.
    """
    check_flags("max_pool3d", ceil_mode=ceil_mode, return_indices=return_indices)
    window = (kernel_size, stride, padding, dilation)
    return _max_pool("max_pool3d", 3, input, *window, ceil_mode, return_indices)


def _max_pool(
    op: str,
    dims: int,
    input: Tensor,
    kernel_size: IntOrTuple,
    stride: IntOrTuple | None,
    padding: IntOrTuple,
    dilation: IntOrTuple,
    ceil_mode: bool,
    return_indices: bool,
) -> Any:
    x, single = with_batch(op, "input", check_float(op, "input", input), dims)
    check_pixels(op, x)
    window = check_window(op, dims, kernel_size, stride, padding)
    steps = int_tuple(op, "dilation", dilation, dims, 1, True)
    positions = check_fits(op, x.shape[2:], *window, steps, ceil_mode)
    check_windows(op, x.shape[2:], positions, *window, steps)
    y, indices = MaxPool.apply(x, *window, steps, bool(ceil_mode))
    y = without_batch(y, single)
    return (y, without_batch(indices.to(int64), single)) if return_indices else y


def check_pixels(op: str, x: Tensor) -> None:
    """`x` (N, C, *spatial) has a channel and a pixel; the batch may be empty."""
    if 0 in x.shape[1:]:
        raise ShapeError(op, "input", f"of shape {x.shape}", "at least one channel and one pixel")


def check_window(
    op: str, dims: int, kernel_size: IntOrTuple, stride: IntOrTuple | None, padding: IntOrTuple
) -> tuple[Sizes, Sizes, Sizes]:
    """`kernel_size`, `stride` and `padding` with one number per dimension."""
    kernel = int_tuple(op, "kernel_size", kernel_size, dims, 1, True)
    step = kernel if stride is None else int_tuple(op, "stride", stride, dims, 1, True)
    pad = int_tuple(op, "padding", padding, dims, 0, True)
    if any(2 * p > k for p, k in zip(pad, kernel, strict=True)):
        raise ArgumentError(op, "padding", pad, f"at most half of kernel_size {kernel}")
    return kernel, step, pad


def check_fits(
    op: str, size: Sizes, kernel: Sizes, stride: Sizes, pad: Sizes, dilation: Sizes, ceil_mode: bool
) -> Sizes:
    """The size of the output, which is not empty: with `ceil_mode` a larger window may fit too."""
    positions = pool_output_size(size, kernel, stride, pad, dilation, ceil_mode)
    if min(positions) < 1:
        spans = (d * (k - 1) + 1 for d, k in zip(dilation, kernel, strict=True))
        over = stride if ceil_mode else (1,) * len(stride)  # so far a window may reach over the edge, and 1
        wanted = (max(n - 2 * p - o + 1, 1) for n, p, o in zip(spans, pad, over, strict=True))
        raise window_error(op, size, kernel, pad, dilation, tuple(wanted))
    return positions
