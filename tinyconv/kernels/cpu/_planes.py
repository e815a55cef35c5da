"""Convolution of planes (N, C, H, W) and its two adjoints: which loop to run, and its memory.

`tinyconv.kernels.cpu.conv` brings one and three dimensions to this form.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tinyconv.kernels.cpu._activations import NOTHING, Epilogue, activated
from tinyconv.kernels.cpu._algorithm import (
    Fill,
    cost_of_groups,
    direct_fill,
    has_few_tiles,
    has_few_windows,
    winograd_tile,
)
from tinyconv.kernels.cpu._groups import pack_groups, packs_grad_plan, packs_of, sum_groups, sweep_groups
from tinyconv.kernels.cpu._inner_product import pack_columns
from tinyconv.kernels.cpu._pack import pack_scratch, pack_weights, padded_columns, piece_channels
from tinyconv.kernels.cpu._sweep import sweep
from tinyconv.kernels.cpu._vector_code import lanes, lanes_for
from tinyconv.kernels.cpu._weight_grad import add_parts, grad_plan, sum_parts
from tinyconv.kernels.cpu._window_product import weight_grad_by_product
from tinyconv.kernels.cpu._windows import Problem, plan
from tinyconv.kernels.cpu._winograd import TilePlan, tile_plan, winograd
from tinyconv.kernels.cpu._winograd_few import (
    GRAD_DEPTH,
    few_grad_scratch,
    few_scratch,
    few_tables,
    of_all_tiles,
    winograd_few,
    winograd_few_grad,
)
from tinyconv.kernels.cpu._winograd_grad import add_tiles, grad_tables, weights_from_tiles
from tinyconv.kernels.cpu._winograd_weights import PAD, gather_scratch, transform_weights
from tinyconv.kernels.cpu.memory import Memory, as_memory, channels_last_empty
from tinyconv.kernels.cpu.reduction import sum as sum_
from tinyconv.kernels.cpu.threads import cores, use_threads

Array = Any
Sizes = tuple[int, ...]


def conv_planes(
    x: Array, weight: Array, bias: Array | None, size: Sizes, stride: Sizes, padding: Sizes, dilation: Sizes,
    groups: int, y: Array | None = None, epilogue: Epilogue = NOTHING,
) -> Array:  # fmt: skip
    """Convolution, with outputs of `size`; written to `y` (channels-last memory) if it is given."""
    columns, channels, *kernel = weight.shape
    problem = Problem(
        x.shape[0], _pair(x.shape[2:]), channels, _pair(size), columns // groups, groups,
        _pair(kernel), _pair(stride), _pair(padding), _pair(dilation), False,
    )  # fmt: skip
    flat, start, (out_step, in_step, h_step, w_step) = as_memory(weight)
    if tile := _winograd_tile(problem, x):
        steps = in_step, out_step, h_step, w_step
        return _run_winograd(problem, x, Memory(flat, start, steps), bias, tile, y, epilogue)
    steps_of_groups = out_step * problem.columns, in_step, out_step, h_step, w_step
    return _run(problem, x, Memory(flat, start, steps_of_groups), bias, y, epilogue)


def conv_transpose_planes(
    x: Array, weight: Array, bias: Array | None, size: Sizes, stride: Sizes, padding: Sizes, dilation: Sizes,
    groups: int, y: Array | None = None,
) -> Array:  # fmt: skip
    """The adjoint of `conv_planes` in its input."""
    channels, columns, *kernel = weight.shape
    problem = Problem(
        x.shape[0], _pair(x.shape[2:]), channels // groups, _pair(size), columns, groups,
        _pair(kernel), _pair(stride), _pair(padding), _pair(dilation), True,
    )  # fmt: skip
    flat, start, (in_step, out_step, h_step, w_step) = as_memory(weight)
    if tile := _winograd_tile(problem, x):
        steps = in_step, out_step, h_step, w_step
        return _run_winograd(problem, x, Memory(flat, start, steps), bias, tile, y)
    steps_of_groups = in_step * problem.channels, in_step, out_step, h_step, w_step
    return _run(problem, x, Memory(flat, start, steps_of_groups), bias, y)


def weight_grad_planes(
    x: Array, grad: Array, kernel_size: Sizes, stride: Sizes, padding: Sizes, dilation: Sizes, groups: int
) -> Array:
    """The adjoint of `conv_planes` in its weight."""
    problem = _weight_problem(x, grad, kernel_size, stride, padding, dilation, groups)
    if tile := _winograd_tile(problem, x, for_weight=True):
        return _winograd_parameter_grads(problem, x, grad, tile)[0]
    if cost_of_groups(problem, lanes(x.itemsize)) < 1:
        return _grouped_weight_grad(problem, x, grad)
    if has_few_windows(problem, x.itemsize):
        return weight_grad_by_product(problem, x, grad)
    threads = use_threads(problem.products())
    width = lanes_for(problem.columns, x.itemsize)
    sizes, strip, tables = grad_plan(problem, x.itemsize, width)
    strips = np.zeros((threads, strip), x.dtype)
    padded = padded_columns(sizes.columns, width)
    partial = np.zeros(sizes.parts * sizes.groups * sizes.weights * padded, x.dtype)
    sum_parts(x.dtype)(as_memory(x), as_memory(grad), partial, strips, sizes, width, tables)
    gradient = np.empty((grad.shape[1], sizes.channels, *kernel_size), x.dtype)
    squares = np.empty((threads, lanes(x.itemsize) ** 2), x.dtype)
    add_parts(x.dtype)(gradient.reshape(-1), partial, squares, sizes, width)
    return gradient


def parameter_grads_planes(
    x: Array, grad: Array, kernel_size: Sizes, stride: Sizes, padding: Sizes, dilation: Sizes, groups: int
) -> tuple[Array, Array]:
    """The gradients of weight and bias."""
    problem = _weight_problem(x, grad, kernel_size, stride, padding, dilation, groups)
    if tile := _winograd_tile(problem, x, for_weight=True):
        return _winograd_parameter_grads(problem, x, grad, tile)
    weight = weight_grad_planes(x, grad, kernel_size, stride, padding, dilation, groups)
    return weight, sum_(grad, (0, 2, 3), False)


def sums_by_tiles(
    x: Array, grad: Array, kernel_size: Sizes, stride: Sizes, padding: Sizes, dilation: Sizes, groups: int
) -> bool:
    """Whether the bias's gradient comes from the tiles of the weight's."""
    if x.ndim != 4:
        return False
    problem = _weight_problem(x, grad, kernel_size, stride, padding, dilation, groups)
    return bool(_winograd_tile(problem, x, for_weight=True))


def _weight_problem(
    x: Array, grad: Array, kernel_size: Sizes, stride: Sizes, padding: Sizes, dilation: Sizes, groups: int
) -> Problem:
    return Problem(
        x.shape[0], _pair(x.shape[2:]), x.shape[1] // groups, _pair(grad.shape[2:]), grad.shape[1] // groups,
        groups, _pair(kernel_size), _pair(stride), _pair(padding), _pair(dilation), False,
    )  # fmt: skip


def _pair(values: Sequence[int]) -> tuple[int, int]:
    height, width = values
    return int(height), int(width)


def _output(problem: Problem, dtype: Any) -> Array:
    return channels_last_empty(problem.batch, problem.columns * problem.groups, problem.out_size, dtype)


def _run(
    problem: Problem,
    x: Array,
    weight: Memory,
    bias: Array | None,
    y: Array | None,
    epilogue: Epilogue = NOTHING,
) -> Array:
    """Pack the weights, sweep the windows."""
    fill = direct_fill(problem, x.itemsize)
    if fill is Fill.GROUPS:
        return activated(_run_groups(problem, x, weight, bias, y), epilogue)
    inner = fill is Fill.TERMS
    threads = use_threads(problem.products())
    width = lanes_for(problem.columns, x.itemsize)
    sizes, strip, taps, tables = plan(problem, threads, x.itemsize, width)
    shape = (sizes.groups, sizes.channels, sizes.columns)
    padded = sizes.groups * (sizes.columns if inner else padded_columns(sizes.columns, width))
    packed = np.empty(padded * sizes.taps * sizes.channels, x.dtype)
    if inner:
        packed_bias = np.zeros(padded, x.dtype) if bias is None else np.ascontiguousarray(bias)
        pack_columns(x.dtype)(packed, weight, taps, shape)
    else:
        packed_bias = np.empty(padded, x.dtype)
        bias_memory = as_memory(np.empty(0, x.dtype) if bias is None else bias)
        kernel = problem.kernel_size
        pieces = (*kernel, piece_channels(kernel), lanes(x.itemsize))
        buffers = np.empty((threads, pack_scratch(kernel, width)), x.dtype)
        pack_weights(x.dtype)(
            packed, packed_bias, weight, bias_memory, taps, buffers, shape + pieces, width
        )  # fmt: skip
    y = _output(problem, x.dtype) if y is None else y
    flat = y.transpose(0, 2, 3, 1).reshape(-1)
    strips = np.empty((threads, strip), x.dtype)
    sweep(x.dtype)(as_memory(x), packed, packed_bias, flat, strips, sizes, width, inner, tables)
    return activated(y, epilogue)


def _run_groups(problem: Problem, x: Array, weight: Memory, bias: Array | None, y: Array | None) -> Array:
    """The same with several groups in a vector."""
    threads = use_threads(problem.products())
    width = lanes(x.itemsize)
    packs = packs_of(problem, width)
    wide = problem._replace(channels=width)
    sizes, strip, taps, tables = plan(wide, threads, x.itemsize, width)
    packed = np.zeros(packs.packs * len(taps) * packs.channels * width, x.dtype)
    packed_bias = np.zeros(packs.packs * width, x.dtype)
    bias_memory = as_memory(np.empty(0, x.dtype) if bias is None else bias)
    pack_groups(x.dtype)(packed, packed_bias, weight, bias_memory, taps, packs)
    y = _output(problem, x.dtype) if y is None else y
    flat = y.transpose(0, 2, 3, 1).reshape(-1)
    strips = np.zeros((threads, strip), x.dtype)
    sweep_groups(x.dtype)(as_memory(x), packed, packed_bias, flat, strips, sizes, packs, tables)
    return y


def _grouped_weight_grad(problem: Problem, x: Array, grad: Array) -> Array:
    threads = use_threads(problem.products())
    width = lanes(x.itemsize)
    packs = packs_of(problem, width)
    sizes, strip, tables = packs_grad_plan(problem, packs, x.itemsize)
    strips = np.zeros((threads, strip), x.dtype)
    partial = np.zeros(sizes.parts * packs.packs * sizes.weights * width, x.dtype)
    sum_groups(x.dtype)(as_memory(x), as_memory(grad), partial, strips, sizes, packs, tables)
    gradient = np.empty((packs.packs, width, problem.channels, *problem.kernel_size), x.dtype)
    squares = np.empty((threads, width**2), x.dtype)
    add_parts(x.dtype)(gradient.reshape(-1), partial, squares, sizes, width)
    used = gradient[:, : packs.groups * packs.channels]
    return used.reshape(-1, *gradient.shape[2:])[: grad.shape[1]]


def _winograd_tile(problem: Problem, x: Array, for_weight: bool = False) -> int:
    return winograd_tile(problem, x.itemsize, lanes(x.itemsize), cores(), for_weight)


def _tile_plan(problem: Problem, x: Array, padding: tuple[int, int], tile: int) -> TilePlan:
    return tile_plan(
        problem.batch, problem.channels, problem.columns, problem.size, problem.out_size, padding, tile,
        cores(), x.itemsize,
    )  # fmt: skip


def _run_winograd(
    problem: Problem, x: Array, weight: Memory, bias: Array | None, tile: int, y: Array | None,
    epilogue: Epilogue = NOTHING,
) -> Array:  # fmt: skip
    """Transform the weights and the tiles. The adjoint is a convolution with the kernel turned."""
    use_threads(problem.products())
    parts = cores()
    width = lanes(x.itemsize)
    turned = problem.transposed
    height, breadth = problem.padding
    padding = (2 - height, 2 - breadth) if turned else (height, breadth)
    sizes, scratch, tables = _tile_plan(problem, x, padding, tile)
    y = _output(problem, x.dtype) if y is None else y
    flat = y.transpose(0, 2, 3, 1).reshape(-1)
    zeros = np.zeros(max(sizes.columns, 2 * width), x.dtype)
    start = zeros if bias is None else np.ascontiguousarray(bias)
    if has_few_tiles(problem, tile, x.itemsize):
        sizes = of_all_tiles(sizes)
        v = np.empty(sizes.points * (sizes.block + parts + 1) * sizes.channels, x.dtype)
        scratches = np.empty((parts, few_scratch(sizes, width)), x.dtype)
        tables = few_tables(sizes.block, sizes.channels, width)
        winograd_few(x.dtype)(
            as_memory(x), weight, start, flat, v, scratches, zeros, sizes, turned, width, tables, *epilogue
        )  # fmt: skip
        return y
    packed = np.empty(sizes.points * (sizes.channels * sizes.columns + PAD), x.dtype)
    shape = (tile, sizes.channels, sizes.columns, int(turned))
    buffers = np.empty((parts, gather_scratch(width)), x.dtype)
    transform_weights(x.dtype)(packed, weight, buffers, shape, width)
    scratches = np.empty((parts, scratch), x.dtype)
    winograd(x.dtype)(as_memory(x), packed, start, flat, scratches, zeros, sizes, width, tables, *epilogue)
    return y


def _winograd_parameter_grads(problem: Problem, x: Array, grad: Array, tile: int) -> tuple[Array, Array]:
    """Add up the tiles, then transform the sums to weights; and the bias's gradient."""
    use_threads(problem.products())
    parts = cores()
    width = lanes(x.itemsize)
    sizes, scratch, _ = _tile_plan(problem, x, problem.padding, tile)
    gradient = np.empty((sizes.columns, sizes.channels, 3, 3), x.dtype)
    if has_few_tiles(problem, tile, x.itemsize, for_weight=True):
        sizes = of_all_tiles(sizes)
        totals = np.zeros((1, sizes.columns))
        v, z = (
            np.empty(sizes.points * (sizes.block + parts + 1) * n, x.dtype)
            for n in (sizes.channels, sizes.columns)
        )
        scratches = np.empty((parts, few_grad_scratch(sizes, width)), x.dtype)
        zeros = np.zeros(2 * width, x.dtype)
        tables = few_tables(GRAD_DEPTH, 1, width)
        winograd_few_grad(x.dtype)(
            as_memory(x), as_memory(grad), gradient.reshape(-1), totals, v, z, scratches, zeros, sizes, width,
            tables,
        )  # fmt: skip
        return gradient, totals[0].astype(x.dtype)
    partial = np.zeros(parts * sizes.points * sizes.channels * sizes.columns, x.dtype)
    totals = np.zeros((parts, sizes.columns))
    tables = grad_tables(sizes.channels, sizes.columns)
    scratches = np.empty((parts, scratch), x.dtype)
    add_tiles(x.dtype)(as_memory(x), as_memory(grad), partial, totals, scratches, sizes, width, tables)
    buffers = np.empty((parts, (sizes.points + 9 * width) * width), x.dtype)
    weights_from_tiles(x.dtype)(gradient.reshape(-1), partial, buffers, sizes, width)
    return gradient, totals.sum(axis=0).astype(x.dtype)
