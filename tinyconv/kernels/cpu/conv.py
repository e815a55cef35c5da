"""Convolution and its two adjoints at the speed of the machine: no im2col, no padding pass.

The three functions are those of `reference/conv.py`. What makes them fast is told in the files
they stand on: `microkernel.py` computes a tile of sums in vector registers, `_windows.py` says
where the windows lie, `_sweep.py` and `_weight_grad.py` are the compiled loops; few windows with many
weights are written out for a matrix product (`_window_product.py`). 3x3 convolutions with
many channels need fewer multiplications by Winograd's algorithm (`_winograd.py`,
`_winograd_grad.py`); `_algorithm.py` chooses, and `tinyconv.set_conv_algorithm` overrules it. The
output of `conv` and `conv_transpose` is in channels-last memory; x and grad may have any memory order.

The fast path is 2-D (`_planes.py`). One dimension is lifted to two, three are brought to two by
`_volume.py`. Dtypes other than float32 and float64 go to the reference kernels.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyconv.kernels.cpu._convolution import by_group, channel_groups, convolve, is_fast, lift
from tinyconv.kernels.cpu._planes import (
    conv_transpose_planes,
    parameter_grads_planes,
    weight_grad_planes,
)
from tinyconv.kernels.cpu._volume import conv_transpose_volume, weight_grad_volume
from tinyconv.kernels.cpu.reduction import sum as sum_
from tinyconv.kernels.reference import conv as reference

Array = Any
Sizes = tuple[int, ...]


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
    return convolve(x, weight, bias, stride, padding, dilation, groups)


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
    if x.ndim == 3:
        return conv_transpose(
            lift(x), lift(weight), bias, (1, *size), (1, *stride), (0, *padding), (1, *dilation), groups
        )[:, :, 0]  # fmt: skip
    if x.ndim == 4:
        return conv_transpose_planes(x, weight, bias, size, stride, padding, dilation, groups)
    parts = [
        conv_transpose_volume(*arrays, size, stride, padding, dilation)
        for arrays in by_group(groups, x, weight, bias)
    ]
    return parts[0] if groups == 1 else np.concatenate(parts, axis=1)


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
    if x.ndim == 3:
        return conv_weight_grad(
            lift(x), lift(grad), (1, *kernel_size), (1, *stride), (0, *padding), (1, *dilation), groups
        )[:, :, 0]  # fmt: skip
    if x.ndim == 4:
        return weight_grad_planes(x, grad, kernel_size, stride, padding, dilation, groups)
    parts = [
        weight_grad_volume(*arrays, kernel_size, stride, padding, dilation)
        for arrays in zip(channel_groups(x, groups), channel_groups(grad, groups), strict=True)
    ]
    return parts[0] if groups == 1 else np.concatenate(parts)


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
    if x.ndim == 4 and is_fast(x, grad):
        return parameter_grads_planes(x, grad, kernel_size, stride, padding, dilation, groups)
    weight = conv_weight_grad(x, grad, kernel_size, stride, padding, dilation, groups)
    return weight, sum_(grad, (0, *range(2, grad.ndim)), False)
