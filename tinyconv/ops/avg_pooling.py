"""Average pooling, in 1, 2 and 3 dimensions."""

from __future__ import annotations

from typing import Any

from tinyconv.autograd import Function
from tinyconv.device import array_module, on_its_gpu
from tinyconv.errors import ArgumentError
from tinyconv.kernels import pooling as kernels
from tinyconv.kernels.reference.pooling import window_counts
from tinyconv.ops._checks import check_flags, check_float, is_int
from tinyconv.ops._images import IntOrTuple, Sizes, with_batch, without_batch
from tinyconv.ops.pooling import check_fits, check_pixels, check_window
from tinyconv.tensor import Tensor


class AvgPool(Function):
    """y = the mean of each window."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, *geometry: Any) -> Any:
        ctx.size, ctx.geometry = x.shape[2:], geometry
        return kernels.avg_pool(x.array, *geometry)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        return AvgPoolBackward.apply(grad, ctx.size, *ctx.geometry), *[None] * 5


class AvgPoolBackward(Function):
    """Each window's gradient, shared equally by its pixels: the adjoint of `AvgPool`."""

    @staticmethod
    def forward(ctx: Any, grad: Tensor, size: Sizes, *geometry: Any) -> Any:
        ctx.geometry = geometry
        return kernels.avg_pool_backward(grad.array, size, *geometry)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        return AvgPool.apply(grad, *ctx.geometry), *[None] * 6


def avg_pool1d(
    input: Tensor,
    kernel_size: IntOrTuple,
    stride: IntOrTuple | None = None,
    padding: IntOrTuple = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Tensor:
    """The mean of each window of `input` (N, C, L) or (C, L).

    Arguments and errors are those of `avg_pool2d`.

    Examples
    --------
    >>> import tinyconv as tc
    >>> import tinyconv.nn.functional as F
    >>> F.avg_pool1d(tc.tensor([[1.0, 5, 2, 4]]), 2).tolist()
    [[3.0, 3.0]]
    """
    check_flags("avg_pool1d", ceil_mode=ceil_mode, count_include_pad=count_include_pad)
    window = (kernel_size, stride, padding)
    return avg_pool_nd("avg_pool1d", 1, input, *window, ceil_mode, count_include_pad, None)


@on_its_gpu
def avg_pool2d(
    input: Tensor,
    kernel_size: IntOrTuple,
    stride: IntOrTuple | None = None,
    padding: IntOrTuple = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Tensor:
    """The mean of each window.

    Parameters
    ----------
    input : Tensor
        Shape (N, C, H, W), or (C, H, W) for one image.
    kernel_size, stride, padding : int or pair
        The window; `stride` is `kernel_size` by default. Padding is zero.
    ceil_mode : bool
        Also use windows that hang over the end.
    count_include_pad : bool
        Whether padded zeros count in the mean.
    divisor_override : int, optional
        What to divide each sum by, instead of the number of pixels.

    Raises
    ------
    ShapeError, DtypeError, ArgumentError
        Naming the argument; also for a window larger than the padded input.

    Examples
    --------
    >>> import tinyconv as tc
    >>> import tinyconv.nn.functional as F
    >>> x = tc.arange(4.0).reshape(1, 2, 2)
    >>> F.avg_pool2d(x, 2).item(), F.avg_pool2d(x, 2, divisor_override=1).item()
    (1.5, 6.0)
    """
    check_flags("avg_pool2d", ceil_mode=ceil_mode, count_include_pad=count_include_pad)
    window = (kernel_size, stride, padding)
    return avg_pool_nd("avg_pool2d", 2, input, *window, ceil_mode, count_include_pad, divisor_override)


@on_its_gpu
def avg_pool3d(
    input: Tensor,
    kernel_size: IntOrTuple,
    stride: IntOrTuple | None = None,
    padding: IntOrTuple = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Tensor:
    """The mean of each window of `input` (N, C, D, H, W) or (C, D, H, W).

    Arguments and errors are those of `avg_pool2d`, with one number or three.
    """
    check_flags("avg_pool3d", ceil_mode=ceil_mode, count_include_pad=count_include_pad)
    window = (kernel_size, stride, padding)
    return avg_pool_nd("avg_pool3d", 3, input, *window, ceil_mode, count_include_pad, divisor_override)


def avg_pool_nd(
    op: str,
    dims: int,
    input: Tensor,
    kernel_size: IntOrTuple,
    stride: IntOrTuple | None,
    padding: IntOrTuple,
    ceil_mode: bool,
    count_include_pad: bool,
    divisor: int | None,
) -> Tensor:
    """Check the arguments of an average pooling over `dims` spatial dimensions, and apply it."""
    x, single = with_batch(op, "input", check_float(op, "input", input), dims)
    check_pixels(op, x)
    window = check_window(op, dims, kernel_size, stride, padding)
    check_fits(op, x.shape[2:], *window, (1,) * dims, ceil_mode)
    if divisor is None:
        y = AvgPool.apply(x, *window, bool(ceil_mode), bool(count_include_pad))
        return without_batch(y, single)
    if not is_int(divisor) or divisor == 0:
        raise ArgumentError(op, "divisor_override", repr(divisor), "an int other than 0, or None")
    y = AvgPool.apply(x, *window, bool(ceil_mode), True)
    counts = window_counts(x.shape[2:], y.shape[2:], *window, True)
    factors = array_module(y.array).asarray(counts / divisor, dtype=y.dtype)
    return without_batch(y * Tensor(factors), single)
