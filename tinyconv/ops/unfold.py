"""Windows as columns (im2col) and back (col2im), as differentiable ops.

`unfold` copies each window of an image into a column; a convolution is then a matrix product::

    conv2d(x, w) = w.reshape(C_out, -1) @ unfold(x, kernel_size)

`fold` adds each column back to where it came from: the two are each other's adjoint, hence
each other's gradient.
"""

from __future__ import annotations

from math import prod
from typing import Any

from tinyconv.autograd import Function
from tinyconv.errors import ShapeError
from tinyconv.kernels import conv as kernels
from tinyconv.kernels.reference.conv import output_size as window_positions
from tinyconv.ops._checks import check_float, int_tuple
from tinyconv.ops._images import IntOrTuple, Sizes, with_batch, without_batch
from tinyconv.ops.shape import unsqueeze
from tinyconv.tensor import Tensor


class Unfold(Function):
    """y[n, (c, i, j), l] = the pixel of channel c that place (i, j) of window l meets; 0 in the padding."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, kernel_size: Sizes, stride: Sizes, padding: Sizes, dilation: Sizes
    ) -> Any:
        ctx.size, ctx.geometry = x.shape[2:], (kernel_size, stride, padding, dilation)
        return kernels.im2col(x.array, kernel_size, stride, padding, dilation)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        return Fold.apply(grad, ctx.size, *ctx.geometry), *[None] * 4


class Fold(Function):
    """y = the columns of x, each added to the window it stands for: the adjoint of `Unfold`."""

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        size: Sizes,
        kernel_size: Sizes,
        stride: Sizes,
        padding: Sizes,
        dilation: Sizes,
    ) -> Any:
        ctx.geometry = kernel_size, stride, padding, dilation
        return kernels.col2im(x.array, size, kernel_size, stride, padding, dilation)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        return Unfold.apply(grad, *ctx.geometry), *[None] * 5


def unfold(
    input: Tensor,
    kernel_size: IntOrTuple,
    dilation: IntOrTuple = 1,
    padding: IntOrTuple = 0,
    stride: IntOrTuple = 1,
) -> Tensor:
    """Copy each window of an image into a column (im2col).

    Parameters
    ----------
    input : Tensor
        Shape (N, C, H, W), or (C, H, W) for one image.
    kernel_size, dilation, padding, stride : int or pair
        The window, as in `conv2d`.

    Returns
    -------
    Tensor
        Shape (N, C * kernel height * kernel width, number of windows), or without N.

    Raises
    ------
    ShapeError, DtypeError, ArgumentError
        Naming the argument; also for a window larger than the padded input.

    Examples
    --------
    >>> import tinyconv as tc
    >>> import tinyconv.nn.functional as F
    >>> F.unfold(tc.arange(9.0).reshape(1, 3, 3), 2)[:, 0].tolist()     # the first window
    [0.0, 1.0, 3.0, 4.0]
    """
    op = "unfold"
    x, single = with_batch(op, "input", check_float(op, "input", input), 2)
    geometry = _check_geometry(op, kernel_size, stride, padding, dilation)
    _check_positions(op, "kernel_size", x.shape[2:], geometry)
    return without_batch(Unfold.apply(x, *geometry), single)


def fold(
    input: Tensor,
    output_size: IntOrTuple,
    kernel_size: IntOrTuple,
    dilation: IntOrTuple = 1,
    padding: IntOrTuple = 0,
    stride: IntOrTuple = 1,
) -> Tensor:
    """Add columns back to the windows they stand for (col2im): the adjoint of `unfold`.

    Parameters
    ----------
    input : Tensor
        Shape (N, C * kernel height * kernel width, number of windows), or without N.
    output_size : int or pair
        Height and width of the image.
    kernel_size, dilation, padding, stride : int or pair
        Those of the `unfold`.

    Returns
    -------
    Tensor
        Shape (N, C, *output_size), or without N. A pixel that several windows share is the sum.

    Raises
    ------
    ShapeError, DtypeError, ArgumentError
        Naming the argument; also when the columns are not as many as the image has windows.

    Examples
    --------
    >>> import tinyconv as tc
    >>> import tinyconv.nn.functional as F
    >>> F.fold(tc.ones(4, 4), (3, 3), 2).tolist()         # in how many windows each pixel is
    [[[1.0, 2.0, 1.0], [2.0, 4.0, 2.0], [1.0, 2.0, 1.0]]]
    """
    op = "fold"
    size = int_tuple(op, "output_size", output_size, 2, 1)
    geometry = _check_geometry(op, kernel_size, stride, padding, dilation)
    count = prod(_check_positions(op, "output_size", size, geometry))
    per_channel = prod(geometry[0])
    shape = check_float(op, "input", input).shape
    if len(shape) not in (2, 3) or shape[-1] != count or shape[-2] % per_channel or shape[-2] == 0:
        expected = f"(N, C * {per_channel}, {count}), or without N, for output_size {size}"
        raise ShapeError(op, "input", f"of shape {shape}", expected)
    x = input if len(shape) == 3 else unsqueeze(input, 0)
    return without_batch(Fold.apply(x, size, *geometry), len(shape) == 2)


def _check_geometry(
    op: str, kernel_size: IntOrTuple, stride: IntOrTuple, padding: IntOrTuple, dilation: IntOrTuple
) -> tuple[Sizes, Sizes, Sizes, Sizes]:
    return (
        int_tuple(op, "kernel_size", kernel_size, 2, 1),
        int_tuple(op, "stride", stride, 2, 1),
        int_tuple(op, "padding", padding, 2, 0),
        int_tuple(op, "dilation", dilation, 2, 1),
    )


def _check_positions(
    op: str, argument: str, size: Sizes, geometry: tuple[Sizes, Sizes, Sizes, Sizes]
) -> Sizes:
    """The number of windows per dimension, which must be at least 1."""
    kernel, stride, padding, dilation = geometry
    positions = window_positions(size, kernel, stride, padding, dilation)
    if any(n < 1 for n in positions) or 0 in size:
        raise ShapeError(
            op,
            argument,
            f"{kernel if argument == 'kernel_size' else size}",
            f"room for a window of {kernel} (dilation {dilation}) in {size} padded by {padding}",
        )
    return positions
