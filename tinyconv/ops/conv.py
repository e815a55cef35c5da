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
from tinyconv.ops._checks import check_float, check_ndim, check_positive, check_same_dtype, int_tuple
from tinyconv.ops.reduction import sum as sum_
from tinyconv.ops.shape import IndexScatter
from tinyconv.tensor import Tensor

IntOrTuple = int | tuple[int, ...]
Sizes = tuple[int, ...]
LAYOUTS = {1: "(N, C, L)", 2: "(N, C, H, W)", 3: "(N, C, D, H, W)"}


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
        return kernels.conv(x.array, weight.array, b, stride, padding, dilation, groups)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        x, weight = ctx.saved_tensors
        needs_x, needs_weight, needs_bias = ctx.needs_input_grad[:3]
        return (
            ConvTranspose.apply(grad, weight, None, x.shape[2:], *ctx.geometry) if needs_x else None,
            ConvWeightGrad.apply(x, grad, weight.shape[2:], *ctx.geometry) if needs_weight else None,
            _sum_per_channel(grad) if needs_bias else None,
            *[None] * 4,
        )


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
        return kernels.conv_transpose(x.array, weight.array, b, size, stride, padding, dilation, groups)

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
        return kernels.conv_weight_grad(x.array, y.array, kernel_size, stride, padding, dilation, groups)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        x, y = ctx.saved_tensors
        needs_x, needs_y = ctx.needs_input_grad[:2]
        return (
            ConvTranspose.apply(y, grad, None, x.shape[2:], *ctx.geometry) if needs_x else None,
            Conv.apply(x, grad, None, *ctx.geometry) if needs_y else None,
            *[None] * 5,
        )


def _sum_per_channel(grad: Tensor) -> Tensor:
    return sum_(grad, (0, *range(2, grad.ndim)))


def conv2d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: IntOrTuple = 1,
    padding: IntOrTuple = 0,
    dilation: IntOrTuple = 1,
    groups: int = 1,
) -> Tensor:
    """2-D convolution (cross-correlation: the kernel is not flipped).

    Parameters
    ----------
    input : Tensor
        Shape (N, C_in, H, W).
    weight : Tensor
        Shape (C_out, C_in / groups, kernel height, kernel width).
    bias : Tensor, optional
        Shape (C_out,).
    stride, padding, dilation : int or pair
        Step of the window, zeros added on each side, distance between kernel elements.
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


def conv_nd(
    op: str,
    dims: int,
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    stride: IntOrTuple,
    padding: IntOrTuple,
    dilation: IntOrTuple,
    groups: int,
) -> Tensor:
    """Check the arguments of a convolution over `dims` spatial dimensions, and apply it."""
    steps, pads, dilations = _check_geometry(op, dims, stride, padding, dilation)
    _check_operands(op, dims, x, weight, bias, groups)
    out_channels, in_channels = weight.shape[0], weight.shape[1] * groups
    if x.shape[1] != in_channels:
        raise ShapeError(
            op, "input", f"of shape {x.shape}", f"{in_channels} channels, as weight {weight.shape} has"
        )
    if out_channels % groups:
        raise ArgumentError(op, "groups", groups, f"a divisor of the {out_channels} output channels")
    _check_bias(op, bias, out_channels)
    padded = tuple(n + 2 * p for n, p in zip(x.shape[2:], pads, strict=True))
    if any(d * (k - 1) + 1 > n for d, k, n in zip(dilations, weight.shape[2:], padded, strict=True)):
        got = f"{weight.shape[2:]} (dilation {dilations})"
        raise ShapeError(op, "kernel_size", got, f"at most the padded input, {padded}")
    return Conv.apply(x, weight, bias, steps, pads, dilations, groups)


def conv_transpose2d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: IntOrTuple = 1,
    padding: IntOrTuple = 0,
    output_padding: IntOrTuple = 0,
    groups: int = 1,
    dilation: IntOrTuple = 1,
) -> Tensor:
    """2-D transposed convolution: the gradient of `conv2d` with respect to its input.

    Parameters
    ----------
    input : Tensor
        Shape (N, C_in, H, W).
    weight : Tensor
        Shape (C_in, C_out / groups, kernel height, kernel width).
    bias : Tensor, optional
        Shape (C_out,).
    stride, padding, dilation : int or pair
        Those of the convolution that this one is the transpose of.
    output_padding : int or pair
        Rows and columns added at the end, to choose between the sizes that a strided
        convolution maps to the same output; smaller than stride or dilation.
    groups : int
        Number of independent convolutions.

    Returns
    -------
    Tensor
        Shape (N, C_out, H', W'),
        H' = (H - 1) stride - 2 padding + dilation (kernel - 1) + output_padding + 1.
    """
    arguments = (stride, padding, output_padding, groups, dilation)
    return conv_transpose_nd("conv_transpose2d", 2, input, weight, bias, *arguments)


def conv_transpose_nd(
    op: str,
    dims: int,
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    stride: IntOrTuple,
    padding: IntOrTuple,
    output_padding: IntOrTuple,
    groups: int,
    dilation: IntOrTuple,
) -> Tensor:
    """Check the arguments of a transposed convolution over `dims` dimensions, and apply it."""
    steps, pads, dilations = _check_geometry(op, dims, stride, padding, dilation)
    geometry = steps, pads, dilations, groups
    extra = int_tuple(op, "output_padding", output_padding, dims, 0)
    _check_operands(op, dims, x, weight, bias, groups)
    if x.shape[1] != weight.shape[0]:
        raise ShapeError(
            op, "input", f"of shape {x.shape}", f"{weight.shape[0]} channels, as weight {weight.shape} has"
        )
    if weight.shape[0] % groups:
        raise ArgumentError(op, "groups", groups, f"a divisor of the {weight.shape[0]} input channels")
    _check_bias(op, bias, weight.shape[1] * groups)
    if any(e >= max(s, d) and e > 0 for e, s, d in zip(extra, steps, dilations, strict=True)):
        raise ArgumentError(op, "output_padding", extra, f"less than stride {steps} or dilation {dilations}")
    size = tuple(
        (n - 1) * s - 2 * p + d * (k - 1) + e + 1
        for n, s, p, d, k, e in zip(x.shape[2:], steps, pads, dilations, weight.shape[2:], extra, strict=True)
    )
    if any(n < 1 for n in size):
        raise ShapeError(op, "the output's size", size, "at least 1 each: less padding or a larger input")
    return ConvTranspose.apply(_followed_by_zeros(x, extra, steps), weight, bias, size, *geometry)


def _followed_by_zeros(x: Tensor, extra: Sizes, steps: Sizes) -> Tensor:
    """Whole strides of output padding mean as many more input pixels that are 0."""
    if all(e < s for e, s in zip(extra, steps, strict=True)):
        return x
    size = (n + e // s for n, e, s in zip(x.shape[2:], extra, steps, strict=True))
    return IndexScatter.apply(x, tuple(slice(n) for n in x.shape), (*x.shape[:2], *size))


def _check_geometry(
    op: str, dims: int, stride: IntOrTuple, padding: IntOrTuple, dilation: IntOrTuple
) -> tuple[Sizes, Sizes, Sizes]:
    return (
        int_tuple(op, "stride", stride, dims, 1),
        int_tuple(op, "padding", padding, dims, 0),
        int_tuple(op, "dilation", dilation, dims, 1),
    )


def _check_operands(op: str, dims: int, x: Tensor, weight: Tensor, bias: Tensor | None, groups: int) -> None:
    check_float(op, "input", x)
    check_float(op, "weight", weight)
    check_same_dtype(op, input=x, weight=weight, bias=None if bias is None else check_float(op, "bias", bias))
    check_ndim(op, "input", x, dims + 2, LAYOUTS[dims])
    check_ndim(op, "weight", weight, dims + 2, "(C_out, C_in, *kernel_size)")
    check_positive(op, "groups", groups)
    if 0 in weight.shape:
        raise ShapeError(op, "weight", f"of shape {weight.shape}", "no dimension of size 0")


def _check_bias(op: str, bias: Tensor | None, channels: int) -> None:
    if bias is not None and bias.shape != (channels,):
        raise ShapeError(
            op, "bias", f"of shape {bias.shape}", f"({channels},), one number per output channel"
        )
