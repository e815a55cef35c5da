"""Convolution and transposed convolution, in any number of dimensions.

Three linear maps, each the adjoint of another, differentiate into each other::

    Conv(x, w)            x: ConvTranspose(g, w)     w: ConvWeightGrad(x, g)
    ConvTranspose(x, w)   x: Conv(g, w)              w: ConvWeightGrad(g, x)
    ConvWeightGrad(x, y)  x: ConvTranspose(y, g)     y: Conv(x, g)

so that the second derivative of a convolution is again a convolution.
"""

from __future__ import annotations

from typing import Any

from tinyconv.autograd import Function
from tinyconv.errors import ArgumentError, ShapeError
from tinyconv.kernels import conv as kernels
from tinyconv.ops._checks import (
    check_choice,
    check_float,
    check_ndim,
    check_positive,
    check_same_dtype,
    int_tuple,
    window_error,
)
from tinyconv.ops._images import IntOrTuple, Sizes, followed_by_zeros, with_batch, without_batch
from tinyconv.ops.precision import factors
from tinyconv.ops.reduction import sum as sum_
from tinyconv.tensor import Tensor

Padding = IntOrTuple | str


class Conv(Function):
    """y[n, o, h, w] = b[o] + sum over c, i, j of x[n, c, h s + i d - p, w s + j d - p] weight[o, c, i, j].

    s, p and d are stride, padding and dilation; outside the image x is 0.
    """

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        weight: Tensor,
        bias: Tensor | None,
        stride: Sizes,
        padding: Sizes,
        dilation: Sizes,
        groups: int,
    ) -> Any:
        ctx.save_for_backward(x, weight)
        ctx.geometry = stride, padding, dilation, groups
        b = None if bias is None else bias.array
        return kernels.conv(*factors("conv", x.array, weight.array), b, stride, padding, dilation, groups)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        x, weight = ctx.saved_tensors
        needs_x, needs_weight, needs_bias = ctx.needs_input_grad[:3]
        grad_weight = grad_bias = None
        if needs_weight and needs_bias:
            grad_weight, grad_bias = ConvParameterGrads.apply(x, grad, weight.shape[2:], *ctx.geometry)
        elif needs_weight:
            grad_weight = ConvWeightGrad.apply(x, grad, weight.shape[2:], *ctx.geometry)
        elif needs_bias:
            grad_bias = _sum_per_channel(grad)
        grad_x = ConvTranspose.apply(grad, weight, None, x.shape[2:], *ctx.geometry) if needs_x else None
        return grad_x, grad_weight, grad_bias, *[None] * 4


class ConvTranspose(Function):
    """The adjoint of `Conv` in x: each input pixel adds its multiple of the kernel to the output."""

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        weight: Tensor,
        bias: Tensor | None,
        size: Sizes,
        stride: Sizes,
        padding: Sizes,
        dilation: Sizes,
        groups: int,
    ) -> Any:
        ctx.save_for_backward(x, weight)
        ctx.geometry = stride, padding, dilation, groups
        b = None if bias is None else bias.array
        arrays = factors("conv", x.array, weight.array)
        return kernels.conv_transpose(*arrays, b, size, stride, padding, dilation, groups)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        x, weight = ctx.saved_tensors
        needs_x, needs_weight, needs_bias = ctx.needs_input_grad[:3]
        return (
            Conv.apply(grad, weight, None, *ctx.geometry) if needs_x else None,
            ConvWeightGrad.apply(grad, x, weight.shape[2:], *ctx.geometry) if needs_weight else None,
            _sum_per_channel(grad) if needs_bias else None,
            *[None] * 5,
        )


class ConvWeightGrad(Function):
    """The adjoint of `Conv` in the weight: correlates the input with the output's gradient."""

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        y: Tensor,
        kernel_size: Sizes,
        stride: Sizes,
        padding: Sizes,
        dilation: Sizes,
        groups: int,
    ) -> Any:
        ctx.save_for_backward(x, y)
        ctx.geometry = stride, padding, dilation, groups
        arrays = factors("conv", x.array, y.array)
        return kernels.conv_weight_grad(*arrays, kernel_size, stride, padding, dilation, groups)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        x, y = ctx.saved_tensors
        needs_x, needs_y = ctx.needs_input_grad[:2]
        return (
            ConvTranspose.apply(y, grad, None, x.shape[2:], *ctx.geometry) if needs_x else None,
            Conv.apply(x, grad, None, *ctx.geometry) if needs_y else None,
            *[None] * 5,
        )


class ConvParameterGrads(Function):
    """The adjoint of `Conv` in weight and bias at once: `ConvWeightGrad`, and the sum of y per channel.

    Its own adjoint in y is therefore a convolution with a bias.
    """

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        y: Tensor,
        kernel_size: Sizes,
        stride: Sizes,
        padding: Sizes,
        dilation: Sizes,
        groups: int,
    ) -> Any:
        ctx.save_for_backward(x, y)
        ctx.geometry = stride, padding, dilation, groups
        arrays = factors("conv", x.array, y.array)
        return kernels.conv_parameter_grads(*arrays, kernel_size, stride, padding, dilation, groups)

    @staticmethod
    def backward(ctx: Any, grad_weight: Tensor, grad_bias: Tensor) -> Any:
        x, y = ctx.saved_tensors
        needs_x, needs_y = ctx.needs_input_grad[:2]
        return (
            ConvTranspose.apply(y, grad_weight, None, x.shape[2:], *ctx.geometry) if needs_x else None,
            Conv.apply(x, grad_weight, grad_bias, *ctx.geometry) if needs_y else None,
            *[None] * 5,
        )


def _sum_per_channel(grad: Tensor) -> Tensor:
    return sum_(grad, (0, *range(2, grad.ndim)))


def conv1d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: IntOrTuple = 1,
    padding: Padding = 0,
    dilation: IntOrTuple = 1,
    groups: int = 1,
) -> Tensor:
    """1-D convolution of `input` (N, C_in, L) or (C_in, L) with `weight` (C_out, C_in / groups, kernel).

    Arguments and errors are those of `conv2d`.

    Examples
    --------
    >>> import tinyconv as tc
    >>> import tinyconv.nn.functional as F
    >>> F.conv1d(tc.tensor([[10.0, 50, 60, 10, 20]]), tc.ones(1, 1, 3)).tolist()
    [[120.0, 120.0, 90.0]]
    """
    return conv_nd("conv1d", 1, input, weight, bias, stride, padding, dilation, groups)


def conv2d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: IntOrTuple = 1,
    padding: Padding = 0,
    dilation: IntOrTuple = 1,
    groups: int = 1,
) -> Tensor:
    """2-D convolution (cross-correlation: the kernel is not flipped).

    Parameters
    ----------
    input : Tensor
        Shape (N, C_in, H, W), or (C_in, H, W) for one image.
    weight : Tensor
        Shape (C_out, C_in / groups, kernel height, kernel width).
    bias : Tensor, optional
        Shape (C_out,).
    stride, padding, dilation : int or pair
        Step of the window, zeros added on each side, distance between kernel elements.
        ``padding="valid"`` is 0; ``padding="same"`` keeps the size (stride 1 only), with the odd
        zero of an even kernel at the end.
    groups : int
        Input and output channels are split into this many independent convolutions.

    Returns
    -------
    Tensor
        Shape (N, C_out, H', W'), H' = floor((H + 2 padding - dilation (kernel - 1) - 1) / stride) + 1.

    Raises
    ------
    ShapeError, DtypeError, ArgumentError
        Naming the argument; also for a kernel larger than the padded input.

    Examples
    --------
    >>> import tinyconv as tc
    >>> import tinyconv.nn.functional as F
    >>> F.conv2d(tc.ones(1, 1, 4, 4), tc.ones(1, 1, 3, 3), padding=1)[0, 0, 0].tolist()
    [4.0, 6.0, 6.0, 4.0]
    """
    return conv_nd("conv2d", 2, input, weight, bias, stride, padding, dilation, groups)


def conv3d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: IntOrTuple = 1,
    padding: Padding = 0,
    dilation: IntOrTuple = 1,
    groups: int = 1,
) -> Tensor:
    """3-D convolution of `input` (N, C_in, D, H, W) or (C_in, D, H, W).

    `weight` is (C_out, C_in / groups, kernel depth, height, width); arguments and errors are
    those of `conv2d`, with one number or three.
    """
    return conv_nd("conv3d", 3, input, weight, bias, stride, padding, dilation, groups)


def conv_nd(
    op: str,
    dims: int,
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    stride: IntOrTuple,
    padding: Padding,
    dilation: IntOrTuple,
    groups: int,
) -> Tensor:
    """Check the arguments of a convolution over `dims` spatial dimensions, and apply it."""
    x, single = check_operands(op, dims, input, weight, bias, groups)
    out_channels, in_channels, kernel = weight.shape[0], weight.shape[1] * groups, weight.shape[2:]
    steps, dilations = (
        int_tuple(op, "stride", stride, dims, 1, True),
        int_tuple(op, "dilation", dilation, dims, 1, True),
    )
    pads, extra = _check_padding(op, padding, kernel, steps, dilations)
    if x.shape[1] != in_channels:
        raise ShapeError(
            op, "input", f"of shape {input.shape}", f"{in_channels} channels, as weight {weight.shape} has"
        )
    if out_channels % groups:
        raise ArgumentError(op, "groups", groups, f"a divisor of the {out_channels} output channels")
    check_bias(op, bias, out_channels)
    x = followed_by_zeros(x, extra)
    wanted = tuple(d * (k - 1) + 1 - 2 * p for d, k, p in zip(dilations, kernel, pads, strict=True))
    if any(n < least for n, least in zip(x.shape[2:], wanted, strict=True)):
        raise window_error(op, x.shape[2:], kernel, pads, dilations, wanted)
    return without_batch(Conv.apply(x, weight, bias, steps, pads, dilations, groups), single)


def _check_padding(
    op: str, padding: Padding, kernel: Sizes, stride: Sizes, dilation: Sizes
) -> tuple[Sizes, Sizes]:
    """Zeros on both sides of each dimension, and those that come on top at its end."""
    dims = len(kernel)
    if not isinstance(padding, str):
        return int_tuple(op, "padding", padding, dims, 0, True), (0,) * dims
    if check_choice(op, "padding", padding, ("valid", "same")) == "valid":
        return (0,) * dims, (0,) * dims
    if any(s > 1 for s in stride):
        raise ArgumentError(op, "stride", stride, "1 with padding='same', which keeps the size")
    whole = [d * (k - 1) for d, k in zip(dilation, kernel, strict=True)]
    return tuple(n // 2 for n in whole), tuple(n % 2 for n in whole)


def check_operands(
    op: str, dims: int, input: Tensor, weight: Tensor, bias: Tensor | None, groups: int
) -> tuple[Tensor, bool]:
    """The input as (N, C, *spatial), and whether it came without N; all three tensors fit together."""
    check_float(op, "input", input)
    check_float(op, "weight", weight)
    bias = None if bias is None else check_float(op, "bias", bias)
    check_same_dtype(op, input=input, weight=weight, bias=bias)
    x, single = with_batch(op, "input", input, dims)
    check_ndim(op, "weight", weight, dims + 2, "(C_out, C_in, *kernel_size)")
    check_positive(op, "groups", groups)
    if 0 in weight.shape:
        raise ShapeError(op, "weight", f"of shape {weight.shape}", "no dimension of size 0")
    return x, single


def check_bias(op: str, bias: Tensor | None, channels: int) -> None:
    """`bias` has one number per output channel."""
    if bias is not None and bias.shape != (channels,):
        raise ShapeError(
            op, "bias", f"of shape {bias.shape}", f"({channels},), one number per output channel"
        )
