"""Max pooling, its inverse, and average pooling.

Max pooling keeps, for each window, the largest value and where it was found. Its gradient
is put back there (`PoolScatter`, the adjoint of `PoolGather`).
"""

from __future__ import annotations

from typing import Any

from tinyconv.autograd import Function
from tinyconv.device import int64
from tinyconv.errors import ArgumentError, DtypeError, ShapeError
from tinyconv.kernels import pooling as kernels
from tinyconv.ops._checks import check_float, check_ndim, check_tensor, int_tuple
from tinyconv.tensor import Tensor

IntOrTuple = int | tuple[int, ...]
Sizes = tuple[int, ...]
LAYOUTS = {1: "(N, C, L)", 2: "(N, C, H, W)", 3: "(N, C, D, H, W)"}


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
        ctx.indices, ctx.size = Tensor(indices), x.shape[2:]
        return y, indices

    @staticmethod
    def backward(ctx: Any, grad: Tensor, _: Any) -> Any:
        return PoolScatter.apply(grad, ctx.indices, ctx.size), *[None] * 5


class PoolScatter(Function):
    """y = zeros of `size` with x added at `indices`."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, indices: Tensor, size: Sizes) -> Any:
        ctx.indices = indices
        return kernels.pool_scatter(x.array, indices.array, size)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        return PoolGather.apply(grad, ctx.indices), None, None


class PoolGather(Function):
    """y = the values of x at `indices`."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, indices: Tensor) -> Any:
        ctx.indices, ctx.size = indices, x.shape[2:]
        return kernels.pool_gather(x.array, indices.array)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        return PoolScatter.apply(grad, ctx.indices, ctx.size), None


class Unpool(Function):
    """y = zeros of `size` with x assigned at `indices`."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, indices: Tensor, size: Sizes) -> Any:
        ctx.indices = indices
        return kernels.unpool(x.array, indices.array, size)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        return PoolGather.apply(grad, ctx.indices), None, None


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
        Shape (N, C, H, W).
    kernel_size, stride, padding, dilation : int or pair
        The window; `stride` is `kernel_size` by default. Padding is minus infinity: it never wins.
    ceil_mode : bool
        Also use windows that hang over the end.
    return_indices : bool
        Return also the int64 positions of the maxima in each (H, W) plane, for `max_unpool2d`.

    Examples
    --------
    >>> import tinyconv as tc
    >>> import tinyconv.nn.functional as F
    >>> F.max_pool2d(tc.arange(16.0).reshape(1, 1, 4, 4), 2).tolist()
    [[[[5.0, 7.0], [13.0, 15.0]]]]
    """
    op = "max_pool2d"
    check_ndim(op, "input", check_float(op, "input", input), 4, LAYOUTS[2])
    window = _check_window(op, 2, kernel_size, stride, padding)
    steps = int_tuple(op, "dilation", dilation, 2, 1)
    _check_fits(op, input.shape[2:], window[0], window[2], steps)
    y, indices = MaxPool.apply(input, *window, steps, bool(ceil_mode))
    return (y, indices.to(int64)) if return_indices else y


def max_unpool2d(
    input: Tensor,
    indices: Tensor,
    kernel_size: IntOrTuple,
    stride: IntOrTuple | None = None,
    padding: IntOrTuple = 0,
    output_size: tuple[int, ...] | None = None,
) -> Tensor:
    """Put pooled values back where they came from, zeros elsewhere.

    Parameters
    ----------
    input, indices : Tensor
        What ``max_pool2d(..., return_indices=True)`` returned, shapes (N, C, H, W).
    kernel_size, stride, padding : int or pair
        Those of the pooling.
    output_size : tuple of int, optional
        Size of the pooled image, where the pooling dropped a border; its last two numbers count.

    Notes
    -----
    Where windows overlapped, a position can occur more than once: the last value put there stays,
    and each of them receives the gradient of that position, as in PyTorch.
    """
    op = "max_unpool2d"
    check_ndim(op, "input", check_float(op, "input", input), 4, LAYOUTS[2])
    if check_tensor(op, "indices", indices).dtype.kind not in "iu":
        raise DtypeError(op, "indices", f"of dtype {indices.dtype}", "integers, as max_pool2d returns")
    if indices.shape != input.shape:
        raise ShapeError(op, "indices", f"of shape {indices.shape}", f"the input's shape, {input.shape}")
    kernel, step, pad = _check_window(op, 2, kernel_size, stride, padding)
    default = tuple(
        (n - 1) * s - 2 * p + k for n, s, p, k in zip(input.shape[2:], step, pad, kernel, strict=True)
    )
    last = output_size[-2:] if isinstance(output_size, list | tuple) else output_size
    size = default if output_size is None else int_tuple(op, "output_size", last, 2, 1)
    if any(n < 1 for n in size):
        raise ShapeError(op, "the output's size", size, "at least 1 each")
    if indices.numel() and not 0 <= indices.array.min() <= indices.array.max() < size[0] * size[1]:
        raise ArgumentError(
            op,
            "indices",
            f"from {indices.array.min()} to {indices.array.max()}",
            f"positions in a plane of {size}",
        )
    return Unpool.apply(input, indices, size)


def avg_pool2d(
    input: Tensor,
    kernel_size: IntOrTuple,
    stride: IntOrTuple | None = None,
    padding: IntOrTuple = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Tensor:
    """The mean of each window.

    Parameters
    ----------
    input : Tensor
        Shape (N, C, H, W).
    kernel_size, stride, padding : int or pair
        The window; `stride` is `kernel_size` by default. Padding is zero.
    ceil_mode : bool
        Also use windows that hang over the end.
    count_include_pad : bool
        Whether padded zeros count in the mean.
    """
    op = "avg_pool2d"
    check_ndim(op, "input", check_float(op, "input", input), 4, LAYOUTS[2])
    window = _check_window(op, 2, kernel_size, stride, padding)
    _check_fits(op, input.shape[2:], window[0], window[2], (1, 1))
    return AvgPool.apply(input, *window, bool(ceil_mode), bool(count_include_pad))


def _check_window(
    op: str, dims: int, kernel_size: IntOrTuple, stride: IntOrTuple | None, padding: IntOrTuple
) -> tuple[Sizes, Sizes, Sizes]:
    kernel = int_tuple(op, "kernel_size", kernel_size, dims, 1)
    step = kernel if stride is None else int_tuple(op, "stride", stride, dims, 1)
    pad = int_tuple(op, "padding", padding, dims, 0)
    if any(2 * p > k for p, k in zip(pad, kernel, strict=True)):
        raise ArgumentError(op, "padding", pad, f"at most half of kernel_size {kernel}")
    return kernel, step, pad


def _check_fits(op: str, size: Sizes, kernel: Sizes, pad: Sizes, dilation: Sizes) -> None:
    padded = tuple(n + 2 * p for n, p in zip(size, pad, strict=True))
    if any(d * (k - 1) + 1 > n for k, d, n in zip(kernel, dilation, padded, strict=True)):
        raise ShapeError(
            op, "kernel_size", f"{kernel} (dilation {dilation})", f"at most the padded input, {padded}"
        )
