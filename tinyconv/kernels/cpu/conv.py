"""Convolution and its two adjoints at the speed of the machine: no im2col, no padding pass.

The three functions are those of `reference/conv.py`. What makes them fast is told in the files
they stand on: `microkernel.py` computes a tile of sums in vector registers, `_windows.py` says
where the windows lie, `_sweep.py` and `_weight_grad.py` are the compiled loops. 3x3 convolutions with
many channels need fewer multiplications by Winograd's algorithm (`_winograd.py`,
`_winograd_grad.py`); `_algorithm.py` chooses, and `tinyconv.set_conv_algorithm` overrules it. The
output of `conv` and `conv_transpose` is in channels-last memory; x and grad may have any memory order.

The fast path is 2-D (`_planes.py`). One dimension is lifted to two, three are brought to two by
`_volume.py`. Dtypes other than float32 and float64 go to the reference kernels.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyconv.device import FLOAT_DTYPES, conv_algorithm
from tinyconv.kernels.cpu._planes import (
    conv_planes,
    conv_transpose_planes,
    parameter_grads_planes,
    weight_grad_planes,
)
from tinyconv.kernels.cpu._volume import conv_transpose_volume, conv_volume, weight_grad_volume
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
    if not _is_fast(x, weight, bias):
        return reference.conv(x, weight, bias, stride, padding, dilation, groups)
    if x.ndim == 3:
        return conv(
            _lift(x), _lift(weight), bias, (1, *stride), (0, *padding), (1, *dilation), groups
        )[:, :, 0]  # fmt: skip
    size = reference.output_size(x.shape[2:], weight.shape[2:], stride, padding, dilation)
    if x.ndim == 4:
        return conv_planes(x, weight, bias, size, stride, padding, dilation, groups)
    parts = [
        conv_volume(*arrays, size, stride, padding, dilation) for arrays in _by_group(groups, x, weight, bias)
    ]
    return parts[0] if groups == 1 else np.concatenate(parts, axis=1)


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
    if not _is_fast(x, weight, bias):
        return reference.conv_transpose(x, weight, bias, size, stride, padding, dilation, groups)
    if x.ndim == 3:
        return conv_transpose(
            _lift(x), _lift(weight), bias, (1, *size), (1, *stride), (0, *padding), (1, *dilation), groups
        )[:, :, 0]  # fmt: skip
    if x.ndim == 4:
        return conv_transpose_planes(x, weight, bias, size, stride, padding, dilation, groups)
    parts = [
        conv_transpose_volume(*arrays, size, stride, padding, dilation)
        for arrays in _by_group(groups, x, weight, bias)
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
    if not _is_fast(x, grad):
        return reference.conv_weight_grad(x, grad, kernel_size, stride, padding, dilation, groups)
    if x.ndim == 3:
        return conv_weight_grad(
            _lift(x), _lift(grad), (1, *kernel_size), (1, *stride), (0, *padding), (1, *dilation), groups
        )[:, :, 0]  # fmt: skip
    if x.ndim == 4:
        return weight_grad_planes(x, grad, kernel_size, stride, padding, dilation, groups)
    parts = [
        weight_grad_volume(*arrays, kernel_size, stride, padding, dilation)
        for arrays in zip(_channel_groups(x, groups), _channel_groups(grad, groups), strict=True)
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
    if x.ndim == 4 and _is_fast(x, grad):
        return parameter_grads_planes(x, grad, kernel_size, stride, padding, dilation, groups)
    weight = conv_weight_grad(x, grad, kernel_size, stride, padding, dilation, groups)
    return weight, sum_(grad, (0, *range(2, grad.ndim)), False)


def _is_fast(first: Array, *others: Array | None) -> bool:
    """Whether the compiled kernels cover these: one float dtype, nothing empty.

    And whether they are wanted: im2col is what the reference does.
    """
    return (
        conv_algorithm.get() != "im2col"
        and first.dtype in FLOAT_DTYPES
        and first.ndim in (3, 4, 5)
        and first.size > 0
        and all(a is None or (a.dtype == first.dtype and a.size > 0) for a in others)
    )


def _lift(array: Array) -> Array:
    """(N, C, L) to (N, C, 1, L)."""
    return array[:, :, None]


def _channel_groups(x: Array, groups: int) -> list[Array]:
    return np.split(x, groups, axis=1)


def _by_group(groups: int, x: Array, weight: Array, bias: Array | None) -> list[tuple[Any, ...]]:
    """The arrays of each group of channels."""
    biases = [None] * groups if bias is None else np.split(bias, groups)
    return list(zip(_channel_groups(x, groups), np.split(weight, groups), biases, strict=True))
