"""The weight gradient of few windows and many weights: one matrix product.

With a row for each window and a column for each weight of an output channel, the windows are a matrix
(pixels, C_in * kernel), and the sum over all pixels is a product with the gradient (pixels, C_out)::

    dw = grad^T windows

Its result lies in memory as the weights do. The loops of `_weight_grad.py` write the windows nowhere, but
they write sums of another order, and several parts of them, and turn them at the end: where a layer has few
pixels that takes longer than the sums themselves.
"""

from __future__ import annotations

from typing import Any

import numba
from numba import types

from tinyconv.kernels.cpu._compile import memory, parallel_kernel, written
from tinyconv.kernels.cpu._product import NO_BIAS, multiply
from tinyconv.kernels.cpu._windows import Problem
from tinyconv.kernels.cpu.memory import aligned_empty, as_memory
from tinyconv.kernels.cpu.threads import use_threads

Array = Any


def weight_grad_by_product(problem: Problem, x: Array, grad: Array) -> Array:
    """The gradient (C_out, C_in, *kernel_size) of a convolution without groups, float32."""
    rows = grad.transpose(0, 2, 3, 1).reshape(-1, problem.columns)
    gradient = multiply(rows.T, windows(problem, x), NO_BIAS, False)
    return gradient.reshape(problem.columns, problem.channels, *problem.kernel_size)


def windows(problem: Problem, x: Array) -> Array:
    """All windows of x (N, C_in, H, W), a row each: (N * H_out * W_out, C_in * kernel)."""
    pixels = x.transpose(0, 2, 3, 1)
    of_one_pixel = problem.kernel_size == problem.stride == (1, 1) and problem.padding == (0, 0)
    if of_one_pixel and pixels.flags.c_contiguous:
        return pixels.reshape(-1, problem.channels)
    out_h, out_w = problem.out_size
    columns = problem.channels * problem.kernel_size[0] * problem.kernel_size[1]
    matrix = aligned_empty((problem.batch * out_h * out_w, columns), x.dtype)
    use_threads(matrix.size)
    copy_windows(x.dtype)(
        as_memory(x), matrix, problem.size, problem.out_size, problem.channels, problem.kernel_size,
        problem.stride, problem.padding, problem.dilation,
    )  # fmt: skip
    return matrix


def _signature(number: Any) -> Any:
    pair = types.UniTuple(types.int64, 2)
    return types.void(memory(number, 4), written(number, 2), pair, pair, types.int64, pair, pair, pair, pair)


@parallel_kernel(_signature)
def copy_windows(
    x: Any, matrix: Array, size: Any, out_size: Any, channels: int, kernel: Any, stride: Any, padding: Any,
    dilation: Any,
) -> None:  # fmt: skip
    """Fill the matrix of `windows`; a thread's items are windows."""
    out_h, out_w = out_size
    flat, start, steps = x  # a parallel loop takes no tuple within a tuple
    image_step, channel_step, row_step, pixel_step = steps
    taps = kernel[0] * kernel[1]
    for pixel in numba.prange(matrix.shape[0]):
        image, r, s = pixel // (out_h * out_w), pixel // out_w % out_h, pixel % out_w
        for tap in range(taps):
            h = r * stride[0] + tap // kernel[1] * dilation[0] - padding[0]
            w = s * stride[1] + tap % kernel[1] * dilation[1] - padding[1]
            if 0 <= h < size[0] and 0 <= w < size[1]:
                origin = start + image * image_step + h * row_step + w * pixel_step
                for c in range(channels):
                    matrix[pixel, c * taps + tap] = flat[origin + c * channel_step]
            else:
                for c in range(channels):
                    matrix[pixel, c * taps + tap] = 0
