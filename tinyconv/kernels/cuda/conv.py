"""Convolution and its two adjoints on a GPU: the twins of `kernels/reference/conv.py`.

`_convolution.py` and `_gradients.py` choose the kernels, which are in conv.cu, conv_weight_grad.cu and
grouped.cu. With ``tinyconv.set_conv_algorithm("im2col")`` windows are copied into a matrix (im2col.cu),
and cuBLAS multiplies it. The output of `conv` and `conv_transpose` is in channels-last memory; what is given
may lie in any order. Dtypes other than float32 and float64 go to the reference kernels.
"""

from __future__ import annotations

from math import prod
from typing import Any

from tinyconv.kernels.cuda._convolution import convolve, convolve_transposed, is_fast, unfolds
from tinyconv.kernels.cuda._gradients import sum_of_columns, weight_gradient
from tinyconv.kernels.cuda._launch import C_TYPES, kernel, launch_elements
from tinyconv.kernels.cuda._products import product
from tinyconv.kernels.cuda._windows import Problem, geometry, in_channels_last_memory, strides_of
from tinyconv.kernels.reference import conv as reference

Array = Any
Sizes = tuple[int, ...]


def im2col(x: Array, kernel_size: Sizes, stride: Sizes, padding: Sizes, dilation: Sizes) -> Array:
    """Copy each window of x (N, C, *spatial) into a column of the result (N, C * prod(kernel_size), L)."""
    import cupy

    if not is_fast(x):
        return reference.im2col(x, kernel_size, stride, padding, dilation)
    out = reference.output_size(x.shape[2:], kernel_size, stride, padding, dilation)
    problem = Problem(
        len(x), 1, x.shape[1], 1, x.shape[2:], out, kernel_size, stride, padding, dilation, False
    )
    columns = cupy.empty((len(x), problem.terms, prod(out)), x.dtype)
    function = kernel("im2col.cu", f"im2col<{C_TYPES[str(x.dtype)]}>")
    launch_elements(function, columns.size, (x, columns, geometry(problem), strides_of(x), columns.size))
    return columns


def col2im(
    columns: Array, size: Sizes, kernel_size: Sizes, stride: Sizes, padding: Sizes, dilation: Sizes
) -> Array:
    """Add each column back to the window it came from: the adjoint of `im2col`, x (N, C, *size)."""
    import cupy

    if columns.dtype not in ("float32", "float64") or len(size) > 3:
        return reference.col2im(columns, size, kernel_size, stride, padding, dilation)
    out = reference.output_size(size, kernel_size, stride, padding, dilation)
    channels = columns.shape[1] // prod(kernel_size)
    problem = Problem(
        len(columns), 1, channels, channels, out, size, kernel_size, stride, padding, dilation, True
    )
    x = cupy.empty((len(columns), channels, *size), columns.dtype)
    function = kernel("im2col.cu", f"col2im<{C_TYPES[str(x.dtype)]}>")
    columns = cupy.ascontiguousarray(columns)
    launch_elements(function, x.size, (columns, x, geometry(problem), x.size))
    return x


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
    if not is_fast(x, weight, bias):
        return reference.conv(x, weight, bias, stride, padding, dilation, groups)
    if not unfolds():
        return convolve(x, weight, bias, stride, padding, dilation, groups)
    out = reference.output_size(x.shape[2:], weight.shape[2:], stride, padding, dilation)
    columns = im2col(x, weight.shape[2:], stride, padding, dilation)
    columns = columns.reshape(len(x), groups, prod(weight.shape[1:]), prod(out))
    rows = weight.reshape(groups, len(weight) // groups, prod(weight.shape[1:]))
    y = in_channels_last_memory(product(rows, columns).reshape(len(x), len(weight), *out))
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

    Here weight is (C_in, C_out / groups, *kernel_size), as in `reference`.
    """
    if not is_fast(x, weight, bias):
        return reference.conv_transpose(x, weight, bias, size, stride, padding, dilation, groups)
    if not unfolds():
        return convolve_transposed(x, weight, bias, size, stride, padding, dilation, groups)
    rows = weight.reshape(groups, len(weight) // groups, prod(weight.shape[1:]))
    grouped = x.reshape(len(x), groups, len(weight) // groups, prod(x.shape[2:]))
    columns = product(rows.swapaxes(1, 2), grouped)
    columns = columns.reshape(len(x), groups * prod(weight.shape[1:]), prod(x.shape[2:]))
    y = in_channels_last_memory(col2im(columns, size, weight.shape[2:], stride, padding, dilation))
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
    """Adjoint of `conv` in its weight: (C_out, C_in / groups, *kernel_size).

    Of x (N, C_in, *spatial) and grad (N, C_out, *output).
    """
    if not is_fast(x, grad):
        return reference.conv_weight_grad(x, grad, kernel_size, stride, padding, dilation, groups)
    if not unfolds():
        return weight_gradient(x, grad, kernel_size, stride, padding, dilation, groups)
    pixels, channels = prod(grad.shape[2:]), x.shape[1] // groups
    columns = im2col(x, kernel_size, stride, padding, dilation)
    columns = columns.reshape(len(x), groups, channels * prod(kernel_size), pixels)
    grouped = grad.reshape(len(x), groups, grad.shape[1] // groups, pixels)
    per_image = product(grouped, columns.swapaxes(2, 3))
    return per_image.sum(0).reshape(grad.shape[1], channels, *kernel_size)


def conv_parameter_grads(
    x: Array,
    grad: Array,
    kernel_size: Sizes,
    stride: Sizes,
    padding: Sizes,
    dilation: Sizes,
    groups: int,
) -> tuple[Array, Array]:
    """The gradients of weight and bias."""
    if not is_fast(x, grad):
        return reference.conv_parameter_grads(x, grad, kernel_size, stride, padding, dilation, groups)
    grad = in_channels_last_memory(grad)
    weight = conv_weight_grad(x, grad, kernel_size, stride, padding, dilation, groups)
    return weight, sum_of_columns(grad, grad.shape[1])[0]


def _per_channel(bias: Array, ndim: int) -> Array:
    """(C,) to (1, C, 1, ...)."""
    return bias.reshape(1, -1, *[1] * (ndim - 2))
