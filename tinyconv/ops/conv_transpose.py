"""Transposed convolution: the gradient of a convolution with respect to its input, as an op of its own."""

from __future__ import annotations

from tinyconv.errors import ArgumentError, ShapeError
from tinyconv.ops._checks import int_tuple
from tinyconv.ops._images import IntOrTuple, followed_by_zeros, without_batch
from tinyconv.ops.conv import ConvTranspose, check_bias, check_operands
from tinyconv.tensor import Tensor


def conv_transpose1d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: IntOrTuple = 1,
    padding: IntOrTuple = 0,
    output_padding: IntOrTuple = 0,
    groups: int = 1,
    dilation: IntOrTuple = 1,
) -> Tensor:
    """1-D transposed convolution of `input` (N, C_in, L) or (C_in, L).

    `weight` is (C_in, C_out / groups, kernel); arguments and errors are those of `conv_transpose2d`.

    Examples
    --------
    >>> import tinyconv as tc
    >>> import tinyconv.nn.functional as F
    >>> F.conv_transpose1d(tc.tensor([[1.0, 10.0]]), tc.tensor([[[1.0, 2, 3]]]), stride=2).tolist()
    [[1.0, 2.0, 13.0, 20.0, 30.0]]
    """
    arguments = (stride, padding, output_padding, groups, dilation)
    return conv_transpose_nd("conv_transpose1d", 1, input, weight, bias, *arguments)


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
        Shape (N, C_in, H, W), or (C_in, H, W) for one image.
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


def conv_transpose3d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: IntOrTuple = 1,
    padding: IntOrTuple = 0,
    output_padding: IntOrTuple = 0,
    groups: int = 1,
    dilation: IntOrTuple = 1,
) -> Tensor:
    """3-D transposed convolution of `input` (N, C_in, D, H, W) or (C_in, D, H, W).

    `weight` is (C_in, C_out / groups, kernel depth, height, width); arguments and errors are
    those of `conv_transpose2d`, with one number or three.
    """
    arguments = (stride, padding, output_padding, groups, dilation)
    return conv_transpose_nd("conv_transpose3d", 3, input, weight, bias, *arguments)


def conv_transpose_nd(
    op: str,
    dims: int,
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    stride: IntOrTuple,
    padding: IntOrTuple,
    output_padding: IntOrTuple,
    groups: int,
    dilation: IntOrTuple,
) -> Tensor:
    """Check the arguments of a transposed convolution over `dims` dimensions, and apply it."""
    steps, pads = (
        int_tuple(op, "stride", stride, dims, 1, True),
        int_tuple(op, "padding", padding, dims, 0, True),
    )
    dilations = int_tuple(op, "dilation", dilation, dims, 1, True)
    extra = int_tuple(op, "output_padding", output_padding, dims, 0, True)
    x, single = check_operands(op, dims, input, weight, bias, groups)
    channels, kernel = weight.shape[0], weight.shape[2:]
    if x.shape[1] != channels:
        raise ShapeError(
            op, "input", f"of shape {input.shape}", f"{channels} channels, as weight {weight.shape} has"
        )
    if channels % groups:
        raise ArgumentError(op, "groups", groups, f"a divisor of the {channels} input channels")
    check_bias(op, bias, weight.shape[1] * groups)
    if any(e >= max(s, d) and e > 0 for e, s, d in zip(extra, steps, dilations, strict=True)):
        raise ArgumentError(op, "output_padding", extra, f"less than stride {steps} or dilation {dilations}")
    size = tuple(
        (n - 1) * s - 2 * p + d * (k - 1) + e + 1
        for n, s, p, d, k, e in zip(x.shape[2:], steps, pads, dilations, kernel, extra, strict=True)
    )
    if any(n < 1 for n in size):
        raise ShapeError(op, "the output's size", size, "at least 1 each: less padding or a larger input")
    # Whole strides of output padding mean as many more input pixels that are 0.
    x = followed_by_zeros(x, tuple(e // s for e, s in zip(extra, steps, strict=True)))
    return without_batch(ConvTranspose.apply(x, weight, bias, size, steps, pads, dilations, groups), single)
