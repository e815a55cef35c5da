"""Convolution of volumes (N, C, D, H, W), as convolutions of planes.

An output plane meets as many input planes as the kernel is deep. Laid side by side as channels,
they are one plane with that many times the channels, and a 3-D convolution of it is a 2-D one,
with Winograd where that pays. The copies are made for a few output planes at a time, so that they
stay in the cache. The phases of a transposed convolution along the depth come from the same
`Axis` as those in a plane.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from numba import types

from tinyconv.kernels.cpu._activations import NOTHING, Epilogue
from tinyconv.kernels.cpu._compile import memory, parallel_kernel, read_only, written
from tinyconv.kernels.cpu._planes import conv_planes, conv_transpose_planes, weight_grad_planes
from tinyconv.kernels.cpu._windows import Axis, convolution_axis, transposed_axis
from tinyconv.kernels.cpu.layout import clear_run, copy_pixels
from tinyconv.kernels.cpu.memory import as_memory, channels_last_empty
from tinyconv.kernels.cpu.threads import use_threads

Array = Any
Sizes = tuple[int, ...]

COPY_BYTES = 4 * 1024 * 1024
OUTSIDE = -1


def conv_volume(
    x: Array, weight: Array, bias: Array | None, size: Sizes, stride: Sizes, padding: Sizes, dilation: Sizes,
    epilogue: Epilogue = NOTHING,
) -> Array:  # fmt: skip
    """Convolution, with outputs of `size`."""
    (axis,) = convolution_axis(size[0], weight.shape[2], stride[0], padding[0], dilation[0])
    y = channels_last_empty(x.shape[0], weight.shape[0], size, x.dtype)
    planes = weight.transpose(0, 2, 1, 3, 4).reshape(weight.shape[0], -1, *weight.shape[3:])
    for n, first, rows in _pieces(x, axis):
        target = _planes_of(y, n, axis, first, rows)
        conv_planes(
            _side_by_side(x, n, axis, first, rows), planes, bias, size[1:], stride[1:], padding[1:],
            dilation[1:], 1, target, epilogue,
        )  # fmt: skip
    return y


def conv_transpose_volume(
    x: Array, weight: Array, bias: Array | None, size: Sizes, stride: Sizes, padding: Sizes, dilation: Sizes
) -> Array:
    """The adjoint of `conv_volume` in its input; weight is (C_in, C_out, *kernel_size)."""
    y = channels_last_empty(x.shape[0], weight.shape[1], size, x.dtype)
    for axis in transposed_axis(size[0], weight.shape[2], stride[0], padding[0], dilation[0]):
        if not axis.taps:
            y[:, :, axis.first :: axis.step] = 0 if bias is None else bias.reshape(-1, 1, 1, 1)
            continue
        taps = weight[:, :, list(axis.taps)].transpose(2, 0, 1, 3, 4)
        planes = taps.reshape(-1, *weight.shape[1:2], *weight.shape[3:])
        for n, first, rows in _pieces(x, axis):
            target = _planes_of(y, n, axis, first, rows)
            result = conv_transpose_planes(
                _side_by_side(x, n, axis, first, rows), planes, bias, size[1:], stride[1:], padding[1:],
                dilation[1:], 1, target if axis.step == 1 else None,
            )  # fmt: skip
            if axis.step != 1:
                target[...] = result
    return y


def weight_grad_volume(
    x: Array, grad: Array, kernel_size: Sizes, stride: Sizes, padding: Sizes, dilation: Sizes
) -> Array:
    """The adjoint of `conv_volume` in its weight."""
    depth, *in_plane = kernel_size
    (axis,) = convolution_axis(grad.shape[2], depth, stride[0], padding[0], dilation[0])
    total = np.zeros((grad.shape[1], depth * x.shape[1], *in_plane), x.dtype)
    for n, first, rows in _pieces(x, axis):
        total += weight_grad_planes(
            _side_by_side(x, n, axis, first, rows), _planes_of(grad, n, axis, first, rows), tuple(in_plane),
            stride[1:], padding[1:], dilation[1:], 1,
        )  # fmt: skip
    return np.ascontiguousarray(
        total.reshape(grad.shape[1], depth, x.shape[1], *in_plane).transpose(0, 2, 1, 3, 4)
    )


def _pieces(x: Array, axis: Axis) -> list[tuple[int, int, int]]:
    """The work in pieces: the image, the first output plane (of this phase), and how many planes."""
    plane = len(axis.taps) * x[0, :, 0].size * x.itemsize
    rows = max(1, min(COPY_BYTES // plane, axis.outputs))
    rows = -(-axis.outputs // -(-axis.outputs // rows))
    return [
        (n, first, min(rows, axis.outputs - first))
        for n in range(x.shape[0])
        for first in range(0, axis.outputs, rows)
    ]


def _planes_of(y: Array, n: int, axis: Axis, first: int, rows: int) -> Array:
    """The output planes of a piece: a view (rows, C, H, W)."""
    begin = axis.first + first * axis.step
    return y[n, :, begin : begin + (rows - 1) * axis.step + 1 : axis.step].transpose(1, 0, 2, 3)


def _side_by_side(x: Array, n: int, axis: Axis, first: int, rows: int) -> Array:
    """The input planes that each of `rows` output planes meets: (rows, taps * C, H, W)."""
    _, channels, depth, height, width = x.shape
    planes = (first + np.arange(rows))[:, None] * axis.stride + np.array(axis.offsets)
    table = np.where((planes >= 0) & (planes < depth), planes, OUTSIDE)
    y = channels_last_empty(rows, len(axis.taps) * channels, (height, width), x.dtype)
    use_threads()
    flat = y.transpose(0, 2, 3, 1).reshape(-1)
    copy_planes(x.dtype)(flat, as_memory(x[n]), table, (channels, height, width))
    return y


def _signature(number: Any) -> Any:
    return types.void(
        written(number), memory(number, 4), read_only(types.int64, 2), types.UniTuple(types.int64, 3)
    )


@parallel_kernel(_signature)
def copy_planes(target: Array, x: Any, table: Array, shape: Any) -> None:
    """target (rows, H, W, taps, C; flat) from the planes of x (Memory of C, D, H, W) in `table`."""
    rows, taps = table.shape
    channels, height, width = shape
    channel_step, depth_step, row_step, pixel_step = x.steps
    flat, start = x.flat, x.start
    for unit in numba.prange(rows * height):
        r, h = unit // height, unit % height
        first = unit * width * taps * channels
        for t in range(taps):
            if table[r, t] < 0:
                for w in range(width):
                    clear_run(target, first + (w * taps + t) * channels, channels)
            else:
                origin = start + table[r, t] * depth_step + h * row_step
                copy_pixels(
                    target, first + t * channels, taps * channels, flat, origin, pixel_step, channel_step,
                    width, channels,
                )  # fmt: skip
