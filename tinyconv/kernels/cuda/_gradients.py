"""The gradients of weights and biases: sums over all pixels of a batch, in two passes each.

A pass over the pixels leaves one sum for each part of them; sum_parts.cu adds these. How many parts there
are follows from the sizes and from how many multiprocessors there are to keep busy.
"""

from __future__ import annotations

from math import ceil, prod
from typing import Any

import numpy as np

from tinyconv.device import matmul_precision
from tinyconv.kernels.cuda._convolution import (
    FEW,
    FLAT,
    NOTHING,
    SQUARE,
    THREADS,
    WIDE,
    Epilogue,
    Tile,
    factors,
    launch_tile,
)
from tinyconv.kernels.cuda._launch import C_TYPES, channels_last, kernel, multiprocessors
from tinyconv.kernels.cuda._windows import Problem, Sizes, geometry, in_quads, whole_quads
from tinyconv.kernels.cuda.elementwise import FORMATS

Array = Any

BLOCKS_PER_MULTIPROCESSOR = 2
LEAST_PIXELS = 128
"""Fewer pixels than this are not worth a part of their own."""

LANES = 32


def weight_gradient(
    x: Array, grad: Array, kernel_size: Sizes, stride: Sizes, padding: Sizes, dilation: Sizes, groups: int
) -> Array:
    """`conv_weight_grad`."""
    import cupy

    columns = grad.shape[1] // groups
    problem = Problem(
        len(x), groups, x.shape[1] // groups, columns, x.shape[2:], grad.shape[2:], kernel_size, stride,
        padding, dilation, False,
    )  # fmt: skip
    gradient = cupy.empty((groups * columns, problem.channels, *kernel_size), x.dtype)
    if gradient.size == 0:
        return gradient
    numbers, x, grad = factors(problem, x, grad)
    if problem.has_small_groups:
        parts = _parts_of_small_groups(problem, x, grad)
    else:
        parts = _parts_of_tiles(problem, x, grad, numbers)
    return sum_of_parts(parts, gradient, columns, problem.channels, prod(kernel_size))


def _parts_of_tiles(problem: Problem, x: Array, grad: Array, numbers: str) -> Array:
    """Sums (parts, groups, C_out', *kernel, C_in') by conv_weight_grad.cu, with whole quads of channels."""
    x, grad = in_quads(x, problem.groups), in_quads(grad, problem.groups)
    problem = problem._replace(channels=whole_quads(problem.channels), columns=whole_quads(problem.columns))
    tile = tile_of(problem, numbers)
    across, down = ceil(problem.terms / tile.columns), ceil(problem.columns / tile.rows)
    parts = _empty_parts(problem, x.dtype, across * down * problem.groups)
    grid = across * len(parts) * problem.groups, down
    arguments = (x, grad, parts, geometry(problem), np.int32(across), np.int32(len(parts)))
    launch_tile("conv_weight_grad", tile, numbers, grid, arguments)
    return parts


def tile_of(problem: Problem, numbers: str) -> Tile:
    if numbers == "float64":
        return SQUARE
    if problem.columns <= FEW:
        return FLAT
    return WIDE if min(problem.columns, problem.terms) > SQUARE.rows else SQUARE


def _parts_of_small_groups(problem: Problem, x: Array, grad: Array) -> Array:
    """Sums (parts, groups, C_out, *kernel, C_in) by grouped.cu."""
    tiles = problem.terms * ceil(problem.groups * problem.columns / LANES)
    parts = _empty_parts(problem, x.dtype, tiles)
    function = kernel("grouped.cu", f"conv_grouped_weight_grad<{C_TYPES[str(x.dtype)]}>")
    arguments = (channels_last(x), channels_last(grad), parts, geometry(problem), np.int32(problem.terms))
    function((tiles, len(parts)), (THREADS,), arguments)
    return parts


def _empty_parts(problem: Problem, dtype: Any, blocks: int) -> Array:
    """Room for the sums of each part, when one part keeps so many blocks busy."""
    import cupy

    shape = problem.groups, problem.columns, *problem.kernel_size, problem.channels
    return cupy.empty((_part_count(blocks, problem.outputs), *shape), dtype)


def _part_count(blocks: int, pixels: int) -> int:
    wanted = ceil(multiprocessors() * BLOCKS_PER_MULTIPROCESSOR / blocks)
    return max(1, min(wanted, pixels // LEAST_PIXELS))


def sum_of_parts(parts: Array, out: Array, columns: int, channels: int, taps: int) -> Array:
    """The sums of parts (parts, groups, columns', taps, channels') as out (groups * columns, channels, taps).

    Columns and channels that only fill up the parts are left out.
    """
    function = kernel("sum_parts.cu", f"sum_parts<{C_TYPES[str(out.dtype)]}>")
    sizes = map(np.int32, (len(parts), columns, channels, taps, parts.shape[2], parts.shape[-1]))
    function((ceil(out.size / LANES),), (THREADS,), (parts, out, out.size, parts[0].size, *sizes))
    return out


def sum_of_columns(
    grad: Array, columns: int, at: Array | None = None, epilogue: Epilogue = NOTHING
) -> tuple[Array, Array | None]:
    """The sum of each column of `grad`, which lies in memory as (rows, columns), and grad before a function.

    With `at`, which lies as grad does, grad is first taken back through the activation function. What is
    summed is rounded as `matmul_precision` says, as the other gradients' factors are.
    """
    import cupy

    before = None if at is None else cupy.empty_like(grad)
    sums = cupy.empty(columns, grad.dtype)
    if columns:
        rows, tiles = grad.size // columns, ceil(columns / THREADS)
        parts = cupy.empty((_part_count(tiles, rows), columns), grad.dtype)
        function = kernel("sum_parts.cu", f"sum_columns<{C_TYPES[str(grad.dtype)]}>")
        ends = *epilogue.arguments(grad.dtype), np.int32(FORMATS.index(matmul_precision.get()))
        pointers = (0, 0) if at is None else (at, before)  # 0: no array
        arguments = (grad, *pointers, parts, rows, np.int32(columns), *ends)
        function((tiles, len(parts)), (THREADS,), arguments)
        sum_of_parts(parts[:, None, :, None], sums, columns, 1, 1)
    return sums, before
