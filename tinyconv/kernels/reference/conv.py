"""Convolution in 1, 2 or 3 dimensions as a matrix product (im2col), and its two adjoints.

What deep learning calls convolution is a cross-correlation: the kernel is not flipped. For
one image, one output channel and stride 1 the slide writes::

    y[h, w] = b + sum over i, j of x[h + i, w + j] * weight[i, j]

`im2col` copies each window into a column, so that the sum becomes a matrix product. With
the input fixed, convolution is linear in the weight; with the weight fixed, it is linear in
the input. `conv_weight_grad` and `conv_transpose` are the adjoints of these two maps::

    <conv(x, w), g> = <x, conv_transpose(g, w)> = <w, conv_weight_grad(x, g)>

which is why they are its gradients, and why the three differentiate into each other.

Shapes: x (N, C_in, *spatial), weight (C_out, C_in / groups, *kernel_size),
y (N, C_out, *output). `stride`, `padding`, `dilation` and sizes are tuples with one number
per spatial dimension.
"""

from __future__ import annotations

from itertools import product
from math import prod
from typing import Any

from tinyconv.device import array_module
from tinyconv.kernels.reference.reduction import sum as sum_

Array = Any
Sizes = tuple[int, ...]


def output_size(size: Sizes, kernel_size: Sizes, stride: Sizes, padding: Sizes, dilation: Sizes) -> Sizes:
    """Number of window positions: floor((size + 2 padding - dilation (kernel - 1) - 1) / stride) + 1."""
    return tuple(
        (n + 2 * p - d * (k - 1) - 1) // s + 1
        for n, k, s, p, d in zip(size, kernel_size, stride, padding, dilation, strict=True)
    )


def im2col(x: Array, kernel_size: Sizes, stride: Sizes, padding: Sizes, dilation: Sizes) -> Array:
    """Copy each window of x (N, C, *spatial) into a column of the result (N, C * prod(kernel_size), L)."""
    xp = array_module(x)
    count, channels, *spatial = x.shape
    out = output_size(tuple(spatial), kernel_size, stride, padding, dilation)
    padded = xp.pad(x, [(0, 0), (0, 0), *[(p, p) for p in padding]])
    columns = xp.empty((count, channels, *kernel_size, *out), dtype=x.dtype)
    for tap in product(*map(range, kernel_size)):
        columns[(slice(None), slice(None), *tap)] = padded[_tap_window(tap, out, stride, dilation)]
    return columns.reshape(count, channels * prod(kernel_size), prod(out))


def col2im(
    columns: Array, size: Sizes, kernel_size: Sizes, stride: Sizes, padding: Sizes, dilation: Sizes
) -> Array:
    """Add each column back to the window it came from: the adjoint of `im2col`, x (N, C, *size)."""
    xp = array_module(columns)
    out = output_size(size, kernel_size, stride, padding, dilation)
    count, channels = columns.shape[0], columns.shape[1] // prod(kernel_size)
    columns = columns.reshape(count, channels, *kernel_size, *out)
    padded_size = [n + 2 * p for n, p in zip(size, padding, strict=True)]
    padded = xp.zeros((count, channels, *padded_size), dtype=columns.dtype)
    for tap in product(*map(range, kernel_size)):
        padded[_tap_window(tap, out, stride, dilation)] += columns[(slice(None), slice(None), *tap)]
    inside = [slice(p, p + n) for n, p in zip(size, padding, strict=True)]
    return padded[(slice(None), slice(None), *inside)]


def _tap_window(tap: Sizes, out: Sizes, stride: Sizes, dilation: Sizes) -> tuple[slice, ...]:
    """The pixels of the padded image that kernel position `tap` meets, one per output pixel."""
    spatial = (
        slice(t * d, t * d + (n - 1) * s + 1, s)
        for t, n, s, d in zip(tap, out, stride, dilation, strict=True)
    )
    return (slice(None), slice(None), *spatial)


def conv(
    x: Array,
    weight: Array,
    bias: Array | None,
    stride: Sizes,
    padding: Sizes,
    dilation: Sizes,
    groups: int,
) -> Array:
    """Convolution: y (N, C_out, *output) of x (N, C_in, *spatial)."""
    out_channels, _, *kernel = weight.shape
    kernel_size = tuple(kernel)
    out = output_size(x.shape[2:], kernel_size, stride, padding, dilation)
    columns = _split_columns(im2col(x, kernel_size, stride, padding, dilation), groups)
    rows = weight.reshape(groups, out_channels // groups, columns.shape[2])
    y = (rows @ columns).reshape(x.shape[0], out_channels, *out)
    return y if bias is None else y + _per_channel(bias, y.ndim)


def conv_transpose(
    x: Array,
    weight: Array,
    bias: Array | None,
    size: Sizes,
    stride: Sizes,
    padding: Sizes,
    dilation: Sizes,
    groups: int,
) -> Array:
    """Adjoint of `conv` in its input: y (N, C_out, *size) of x (N, C_in, *spatial).

    Here weight is (C_in, C_out / groups, *kernel_size): the layout of PyTorch's transposed
    convolution, and the layout that the forward convolution from y to x has.
    """
    in_channels, out_channels, *kernel = weight.shape
    rows = weight.reshape(groups, in_channels // groups, -1)
    grouped = x.reshape(x.shape[0], groups, in_channels // groups, prod(x.shape[2:]))
    columns = rows.swapaxes(1, 2) @ grouped
    columns = columns.reshape(x.shape[0], groups * rows.shape[2], prod(x.shape[2:]))
    y = col2im(columns, size, tuple(kernel), stride, padding, dilation)
    return y if bias is None else y + _per_channel(bias, y.ndim)


def conv_weight_grad(
    x: Array,
    grad: Array,
    kernel_size: Sizes,
    stride: Sizes,
    padding: Sizes,
    dilation: Sizes,
    groups: int,
) -> Array:
    """Adjoint of `conv` in its weight: (C_out, C_in / groups, *kernel_size) of x and grad.

    Shapes: x (N, C_in, *spatial), grad (N, C_out, *output).
    """
    out_channels = grad.shape[1]
    columns = _split_columns(im2col(x, kernel_size, stride, padding, dilation), groups)
    grouped = grad.reshape(x.shape[0], groups, out_channels // groups, prod(grad.shape[2:]))
    per_image = grouped @ columns.swapaxes(2, 3)
    return per_image.sum(0).reshape(out_channels, x.shape[1] // groups, *kernel_size)


def conv_parameter_grads(
    x: Array,
    grad: Array,
    kernel_size: Sizes,
    stride: Sizes,
    padding: Sizes,
    dilation: Sizes,
    groups: int,
) -> tuple[Array, Array]:
    """The gradients of weight and bias, both from one look at grad (N, C_out, *output).

    The bias is added to every output pixel of its channel, so its gradient is their sum, (C_out,).
    """
    weight = conv_weight_grad(x, grad, kernel_size, stride, padding, dilation, groups)
    return weight, sum_(grad, (0, *range(2, grad.ndim)), False)


def _split_columns(columns: Array, groups: int) -> Array:
    """(N, C * K, L) to (N, groups, C / groups * K, L)."""
    return columns.reshape(columns.shape[0], groups, columns.shape[1] // groups, columns.shape[2])


def _per_channel(bias: Array, ndim: int) -> Array:
    """(C,) to (1, C, 1, ...)."""
    return bias.reshape(1, -1, *[1] * (ndim - 2))
