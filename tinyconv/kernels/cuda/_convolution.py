"""Which kernel computes a convolution, and how it is launched.

=====================================  ==========================  ===============================
what                                   kernel                      one block
=====================================  ==========================  ===============================
any convolution, any transposed one    conv.cu                     a tile of pixels x out channels
groups with few output channels        grouped.cu                  256 numbers of the output
the weight's gradient                  conv_weight_grad.cu         a tile of out channels x terms
of groups with few channels            grouped.cu                  one term of 32 out channels
=====================================  ==========================  ===============================

`matmul_precision` says whether the tensor cores may round the factors to TF32 or BF16.
"""

from __future__ import annotations

from math import ceil, prod
from typing import Any, NamedTuple

import numpy as np

from tinyconv.device import FLOAT_DTYPES, conv_algorithm, matmul_precision
from tinyconv.kernels.cuda._launch import C_TYPES, channels_last, kernel, launch_elements, multiprocessors
from tinyconv.kernels.cuda._windows import (
    QUAD,
    Problem,
    Sizes,
    empty_channels_last,
    geometry,
    in_quads,
    transposed,
)
from tinyconv.kernels.cuda.activation import ACTIVATIONS
from tinyconv.kernels.cuda.elementwise import rounded
from tinyconv.kernels.reference.conv import output_size

Array = Any

SUFFIXES = {"float32": "", "float64": "Double", "tf32": "Tf32", "bfloat16": "Bf16"}
"""What the names of tiles end with."""

LEAST_TERMS = 128
"""Fewer terms than this are not worth a part of their own."""

THREADS = 256
OUTPUTS_OF_A_THREAD = 4
"""Neighbouring pixels that a thread of grouped.cu computes, one after the other."""

TENSOR_CORES = 80
"""The compute capability that the instructions need."""


class Tile(NamedTuple):
    """A tile of conv.cu or conv_weight_grad.cu, by the name that it has there."""

    name: str
    rows: int
    columns: int
    threads: int


WIDE, SQUARE = Tile("Wide", 128, 128, 256), Tile("Square", 64, 64, 256)
NARROW, FLAT = Tile("Narrow", 128, 16, 128), Tile("Flat", 16, 128, 128)
THREADS_OF_TENSOR_TILES = {"Wide": 256, "Square": 128, "Narrow": 128, "Flat": 128}

FEW = 32
"""Up to so many columns, two narrow tiles are better than a square one that is half empty."""


class Epilogue(NamedTuple):
    """An activation function that is applied before an output is written."""

    activation: str = "nothing"
    numbers: tuple[float, ...] = ()

    def arguments(self, dtype: Any) -> tuple[np.int32, Any]:
        """Its number in formulas.cuh, and its parameter."""
        return np.int32(ACTIVATIONS.index(self.activation)), dtype.type(
            self.numbers[0] if self.numbers else 0
        )


NOTHING = Epilogue()
Ends = tuple[Any, ...]
"""The arguments of an epilogue."""


def is_fast(first: Array, *others: Array | None) -> bool:
    """Whether the kernels cover these arrays: one float dtype, one to three spatial dimensions."""
    same = all(a is None or a.dtype == first.dtype for a in others)
    return same and first.dtype in FLOAT_DTYPES and first.ndim in (3, 4, 5)


def unfolds() -> bool:
    """Whether the windows are to be copied into a matrix, as in the course."""
    return conv_algorithm.get() == "im2col"


def convolve(
    x: Array, weight: Array, bias: Array | None, stride: Sizes, padding: Sizes, dilation: Sizes, groups: int,
    epilogue: Epilogue = NOTHING,
) -> Array:  # fmt: skip
    """`conv`, and the activation function of `epilogue`."""
    size = output_size(x.shape[2:], weight.shape[2:], stride, padding, dilation)
    problem = Problem(
        len(x), groups, weight.shape[1], len(weight) // groups, x.shape[2:], size, weight.shape[2:], stride,
        padding, dilation, False,
    )  # fmt: skip
    return _gather(problem, x, weight, bias, epilogue)


def convolve_transposed(
    x: Array, weight: Array, bias: Array | None, size: Sizes, stride: Sizes, padding: Sizes, dilation: Sizes,
    groups: int,
) -> Array:  # fmt: skip
    """`conv_transpose`."""
    problem = Problem(
        len(x), groups, len(weight) // groups, weight.shape[1], x.shape[2:], size, weight.shape[2:], stride,
        padding, dilation, True,
    )  # fmt: skip
    return _gather(problem, x, transposed(weight, groups), bias, NOTHING)


def _gather(problem: Problem, x: Array, weight: Array, bias: Array | None, epilogue: Epilogue) -> Array:
    """Launch conv.cu or grouped.cu; weight is (C_out, C_in / groups, *kernel)."""
    import cupy

    channels = problem.groups * problem.columns
    y = empty_channels_last(problem.batch, channels, problem.out_size, x.dtype)
    if y.size:
        pointer = 0 if bias is None else cupy.ascontiguousarray(bias)  # 0: no array
        numbers, x, weight = factors(problem, x, weight)
        ends = epilogue.arguments(x.dtype)
        if problem.has_small_groups:
            _by_channels(problem, x, weight, pointer, y, ends)
        else:
            _by_tiles(problem, numbers, x, weight, pointer, y, ends)
    return y


def _by_channels(problem: Problem, x: Array, weight: Array, bias: Array, y: Array, ends: Ends) -> None:
    function = kernel("grouped.cu", f"conv_grouped<{C_TYPES[str(x.dtype)]}>")
    rows = channels_last(weight.swapaxes(0, 1))
    threads = ceil(problem.outputs / OUTPUTS_OF_A_THREAD) * ceil(y.shape[1] / QUAD)
    blocks = ceil(threads / THREADS)
    arguments = (channels_last(x), rows, bias, y, geometry(problem), np.int32(blocks), *ends)
    function((blocks * problem.classes,), (THREADS,), arguments)


def _by_tiles(
    problem: Problem, numbers: str, x: Array, weight: Array, bias: Array, y: Array, ends: Ends
) -> None:
    """One pass, or, for sums that are cut into parts, one over the image and one over the parts."""
    import cupy

    x, rows = in_quads(x, problem.groups), in_quads(weight)
    problem = problem._replace(channels=rows.shape[-1])
    tile = tile_of(problem, numbers)
    tiles, classes = ceil(problem.outputs / tile.rows), problem.classes
    grid = tiles * classes * problem.groups, ceil(problem.columns / tile.columns)
    counts = np.int32(tiles), np.int32(classes)
    parts = _part_count(prod(grid), problem.terms)
    if parts == 1:
        arguments = (x, rows, bias, y, geometry(problem), *counts, *ends, y.size)
        launch_tile("conv", tile, numbers, grid, arguments)
        return
    sums = cupy.empty((parts, y.size), y.dtype)
    arguments = (x, rows, 0, sums, geometry(problem), *counts, *NOTHING.arguments(y.dtype), y.size)
    launch_tile("conv", tile, numbers, (*grid, parts), arguments)
    function = kernel("sum_parts.cu", f"finish_parts<{C_TYPES[str(y.dtype)]}>")
    sizes = y.size, np.int32(parts), np.int32(y.shape[1])
    launch_elements(function, y.size, (sums, bias, y, *sizes, *ends))


def _part_count(blocks: int, terms: int) -> int:
    """Into how many parts the sums are cut: as many as idle multiprocessors can take."""
    return max(1, min(multiprocessors() // blocks, terms // LEAST_TERMS))


def tile_of(problem: Problem, numbers: str) -> Tile:
    """Large tiles load less, small ones are enough to keep all multiprocessors busy."""
    if numbers == "float64":
        return SQUARE
    if problem.columns <= FEW:
        return NARROW
    blocks = ceil(problem.outputs / WIDE.rows) * ceil(problem.columns / WIDE.columns)
    is_enough = blocks * problem.classes * problem.groups >= multiprocessors()
    return WIDE if problem.columns > SQUARE.columns and is_enough else SQUARE


def launch_tile(
    name: str, tile: Tile, numbers: str, grid: tuple[int, ...], arguments: tuple[Any, ...]
) -> None:
    """Launch a kernel that is a template of its tile, for these factors."""
    on_tensor_cores = numbers in ("tf32", "bfloat16")
    threads = THREADS_OF_TENSOR_TILES[tile.name] if on_tensor_cores else tile.threads
    kernel(f"{name}.cu", f"{name}<{tile.name}{SUFFIXES[numbers]}>")(grid, (threads,), arguments)


def factors(problem: Problem, *arrays: Array) -> tuple[Any, ...]:
    """What the factors of the products are when a kernel multiplies them, and the arrays to give it.

    The tensor cores' kernels round what they load. Where none of them is called, it is rounded here.
    """
    numbers = str(arrays[0].dtype)
    precision = matmul_precision.get() if numbers == "float32" else numbers
    if compute_capability() >= TENSOR_CORES and not problem.has_small_groups:
        return precision, *arrays
    return numbers, *(rounded(array, precision) for array in arrays)


def compute_capability() -> int:
    """That of the current card, 80 for 8.0."""
    import cupy

    return int(cupy.cuda.Device().compute_capability)
