"""Convolution and its two adjoints at the speed of the machine: no im2col, no padding pass.

The three functions are those of `reference/conv.py`. What makes them fast is told in the files
they stand on: `microkernel.py` computes a tile of sums in vector registers, `_windows.py` says
where the windows lie, `_sweep.py` and `_weight_grad.py` are the compiled loops. 3x3 convolutions with
many channels need fewer multiplications by Winograd's algorithm (`_winograd.py`,
`_winograd_grad.py`); `_algorithm.py` chooses, and `tinyconv.set_conv_algorithm` overrules it. The
output of `conv` and `conv_transpose` is in channels-last memory; x and grad may have any memory order.

The fast path is 2-D. One dimension is lifted to two; three dimensions, and dtypes other than
float32 and float64, go to the reference kernels.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tinyconv.device import FLOAT_DTYPES, conv_algorithm
from tinyconv.kernels.cpu._algorithm import winograd_tile
from tinyconv.kernels.cpu._pack import pack_weights, padded_columns
from tinyconv.kernels.cpu._sweep import sweep
from tinyconv.kernels.cpu._vector_code import lanes
from tinyconv.kernels.cpu._weight_grad import add_parts, grad_plan, sum_parts
from tinyconv.kernels.cpu._windows import Problem, plan
from tinyconv.kernels.cpu._winograd import TilePlan, tile_plan, transform_weights, winograd
from tinyconv.kernels.cpu._winograd_grad import add_tiles, grad_tables, weights_from_tiles
from tinyconv.kernels.cpu.memory import Memory, as_memory, channels_last_empty
from tinyconv.kernels.cpu.threads import use_threads
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
    columns, channels, *kernel = weight.shape
    size = reference.output_size(x.shape[2:], tuple(kernel), stride, padding, dilation)
    problem = Problem(
        x.shape[0], x.shape[2:], channels, _pair(size), columns // groups, groups,
        _pair(kernel), _pair(stride), _pair(padding), _pair(dilation), False,
    )  # fmt: skip
    flat, start, (out_step, in_step, h_step, w_step) = as_memory(weight)
    if tile := _winograd_tile(problem, x):
        return _run_winograd(problem, x, Memory(flat, start, (in_step, out_step, h_step, w_step)), bias, tile)
    steps = (out_step * problem.columns, in_step, out_step, h_step, w_step)
    return _run(problem, x, Memory(flat, start, steps), bias)


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
    channels, columns, *kernel = weight.shape
    problem = Problem(
        x.shape[0], x.shape[2:], channels // groups, _pair(size), columns, groups,
        _pair(kernel), _pair(stride), _pair(padding), _pair(dilation), True,
    )  # fmt: skip
    flat, start, (in_step, out_step, h_step, w_step) = as_memory(weight)
    if tile := _winograd_tile(problem, x):
        return _run_winograd(problem, x, Memory(flat, start, (in_step, out_step, h_step, w_step)), bias, tile)
    steps = (in_step * problem.channels, in_step, out_step, h_step, w_step)
    return _run(problem, x, Memory(flat, start, steps), bias)


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
    problem = Problem(
        x.shape[0], x.shape[2:], x.shape[1] // groups, grad.shape[2:], grad.shape[1] // groups, groups,
        _pair(kernel_size), _pair(stride), _pair(padding), _pair(dilation), False,
    )  # fmt: skip
    if tile := _winograd_tile(problem, x, for_weight=True):
        return _winograd_weight_grad(problem, x, grad, tile)
    threads = use_threads(problem.products())
    width = lanes(x.itemsize)
    sizes, strip, tables = grad_plan(problem, x.itemsize, width)
    strips = np.zeros((threads, strip), x.dtype)
    padded = padded_columns(sizes.columns, width)
    partial = np.zeros(sizes.parts * sizes.groups * sizes.weights * padded, x.dtype)
    sum_parts(x.dtype)(as_memory(x), as_memory(grad), partial, strips, sizes, width, tables)
    gradient = np.empty((grad.shape[1], sizes.channels, *kernel_size), x.dtype)
    add_parts(x.dtype)(gradient.reshape(-1), partial, sizes, width)
    return gradient


def _is_fast(first: Array, *others: Array | None) -> bool:
    """Whether the compiled kernels cover these: 1-D or 2-D, one float dtype, nothing empty.

    And whether they are wanted: im2col is what the reference does.
    """
    return (
        conv_algorithm.get() != "im2col"
        and first.dtype in FLOAT_DTYPES
        and first.ndim in (3, 4)
        and first.size > 0
        and all(a is None or (a.dtype == first.dtype and a.size > 0) for a in others)
    )


def _pair(values: Sequence[int]) -> tuple[int, int]:
    height, width = values
    return int(height), int(width)


def _lift(array: Array) -> Array:
    """(N, C, L) to (N, C, 1, L)."""
    return array[:, :, None]


def _run(problem: Problem, x: Array, weight: Memory, bias: Array | None) -> Array:
    """Pack the weights, sweep the windows."""
    threads = use_threads(problem.products())
    width = lanes(x.itemsize)
    sizes, strip, taps, tables = plan(problem, threads, x.itemsize, width)
    padded = sizes.groups * padded_columns(sizes.columns, width)
    packed = np.empty(padded * sizes.taps * sizes.channels, x.dtype)
    packed_bias = np.empty(padded, x.dtype)
    shape = (sizes.groups, sizes.channels, sizes.columns)
    bias_memory = as_memory(np.empty(0, x.dtype) if bias is None else bias)
    pack_weights(x.dtype)(packed, packed_bias, weight, bias_memory, taps, shape, width)
    y = channels_last_empty(sizes.batch, sizes.groups * sizes.columns, problem.out_size, x.dtype)
    flat = y.transpose(0, 2, 3, 1).reshape(-1)
    strips = np.empty((threads, strip), x.dtype)
    sweep(x.dtype)(as_memory(x), packed, packed_bias, flat, strips, sizes, width, tables)
    return y


def _winograd_tile(problem: Problem, x: Array, for_weight: bool = False) -> int:
    threads = use_threads(problem.products())
    return winograd_tile(problem, x.itemsize, lanes(x.itemsize), threads, for_weight)


def _tile_plan(problem: Problem, x: Array, padding: tuple[int, int], tile: int, threads: int) -> TilePlan:
    return tile_plan(
        problem.batch, problem.channels, problem.columns, problem.size, problem.out_size, padding, tile,
        threads, x.itemsize,
    )  # fmt: skip


def _run_winograd(problem: Problem, x: Array, weight: Memory, bias: Array | None, tile: int) -> Array:
    """Transform the weights, then the tiles. The adjoint is a convolution with the kernel turned."""
    threads = use_threads(problem.products())
    width = lanes(x.itemsize)
    turned = problem.transposed
    height, breadth = problem.padding
    padding = (2 - height, 2 - breadth) if turned else (height, breadth)
    sizes, scratch, tables = _tile_plan(problem, x, padding, tile, threads)
    packed = np.empty(sizes.points * sizes.channels * sizes.columns, x.dtype)
    shape = (tile, sizes.channels, sizes.columns, int(turned))
    transform_weights(x.dtype)(packed, weight, np.empty((threads, 18 * width), x.dtype), shape, width)
    zeros = np.zeros(max(sizes.columns, 2 * width), x.dtype)
    start = zeros if bias is None else np.ascontiguousarray(bias)
    y = channels_last_empty(sizes.batch, sizes.columns, problem.out_size, x.dtype)
    flat = y.transpose(0, 2, 3, 1).reshape(-1)
    scratches = np.empty((threads, scratch), x.dtype)
    winograd(x.dtype)(as_memory(x), packed, start, flat, scratches, zeros, sizes, width, tables)
    return y


def _winograd_weight_grad(problem: Problem, x: Array, grad: Array, tile: int) -> Array:
    """Add up the tiles, then transform the sums to weights."""
    threads = use_threads(problem.products())
    width = lanes(x.itemsize)
    sizes, scratch, _ = _tile_plan(problem, x, problem.padding, tile, threads)
    partial = np.zeros(threads * sizes.points * sizes.channels * sizes.columns, x.dtype)
    tables = grad_tables(sizes.channels, sizes.columns)
    scratches = np.empty((threads, scratch), x.dtype)
    add_tiles(x.dtype)(as_memory(x), as_memory(grad), partial, scratches, sizes, width, tables)
    gradient = np.empty((sizes.columns, sizes.channels, 3, 3), x.dtype)
    buffers = np.empty((threads, (sizes.points + 9) * width), x.dtype)
    weights_from_tiles(x.dtype)(gradient.reshape(-1), partial, buffers, sizes, width)
    return gradient
