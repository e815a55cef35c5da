"""The compiled loops of the weight gradient: a long sum over pixels, cut into parts.

One element of the gradient sums, over all images and output pixels, the input under one tap
times the gradient of one output channel::

    dw[o, c, i, j] = sum over n, h, w of x[n, c, h * stride + i, w * stride + j] * grad[n, o, h, w]

For the micro-kernel a row is one (i, j, c), a segment one image row, and a step one pixel to
the right. The image rows are cut into bands whose input and gradient fit into the second-level
cache; a band's tile starts from 0 and is added to the part's buffer, which also keeps the
rounding error low. Consecutive bands make a part. Parts and blocks of output channels are the
items that the threads share. How many parts there are depends on the sizes alone, and they are
added in order at the end, so the result does not depend on the number of threads, bit for bit.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import product
from typing import Any, NamedTuple

import numba
import numpy as np
from numba import types

from tinyconv.kernels.cpu._compile import integers, memory, parallel_kernel, read_only, written
from tinyconv.kernels.cpu._moves import add_vectors, copy_square_transposed
from tinyconv.kernels.cpu._pack import block_begin, block_width, blocks_of, padded_columns
from tinyconv.kernels.cpu._vector_code import VECTOR_BYTES
from tinyconv.kernels.cpu._windows import (
    CACHED_PLANS,
    STRIP_BYTES,
    Problem,
    even_parts,
    extent,
    repeat_last,
    table_of,
)
from tinyconv.kernels.cpu.layout import copy_pixels, copy_strip
from tinyconv.kernels.cpu.memory import Memory
from tinyconv.kernels.cpu.microkernel import ROWS_1, ROWS_2, make_tile

Array = Any

WIDE_TILE = make_tile(ROWS_2, 2, accumulate=True, masked=False)
NARROW_TILE = make_tile(ROWS_1, 1, accumulate=True, masked=False)
SHORT_TILE = make_tile(ROWS_2, 1, accumulate=True, masked=False)
HALVED_TILE = make_tile(ROWS_2, 1, accumulate=True, masked=False, halved=True)

ITEMS = 16
SQUARES = 9
"""Of weights, that are added up and transposed before the next output channels."""
MIN_PIXELS = 96


class GradSizes(NamedTuple):
    """The numbers that the compiled kernel needs; channels and columns are those of one group."""

    batch: int
    channels: int
    size_h: int
    size_w: int
    columns: int
    groups: int
    out_h: int
    out_w: int
    weights: int
    images: int
    rows: int
    image_bands: int
    row_bands: int
    parts: int
    stride_h: int
    stride_w: int
    top: int
    left: int
    strip_h: int
    strip_w: int


class GradTables(NamedTuple):
    """The micro-kernel's tables."""

    row: Array
    out: Array
    segment: Array


class GradPlan(NamedTuple):
    """Everything about one geometry; `strip` is the size of a band's input and gradient."""

    sizes: GradSizes
    strip: int
    tables: GradTables


@lru_cache(maxsize=CACHED_PLANS)
def grad_plan(problem: Problem, itemsize: int, width: int, pixel: int | None = None) -> GradPlan:
    """The bands, parts and tables for the weight gradient of a convolution.

    A pixel takes `pixel` numbers in the strip, if not as many as there are channels.
    """
    (vertical,), (horizontal,) = problem.axes()
    channels, (out_h, out_w) = problem.channels, problem.out_size
    pixel = channels if pixel is None else pixel
    left, right = extent((horizontal,), None)
    strip_w = right - left + 1
    wide = min(2, -(-problem.columns // width)) * width
    blocks = blocks_of(problem.columns, width) * problem.groups

    def strip_size(images: int, rows: int) -> int:
        top, bottom = extent((vertical,), rows)
        return images * ((bottom - top + 1) * strip_w * pixel + rows * out_w * wide)

    parts = -(-ITEMS // blocks)
    most = max(MIN_PIXELS, problem.batch * out_h * out_w // parts)
    bands = [(1, rows) for rows in even_parts(out_h)]
    bands += [(images, out_h) for images in even_parts(problem.batch)]
    fits = [
        (images, rows)
        for images, rows in bands
        if images * rows * out_w <= most and strip_size(images, rows) * itemsize <= STRIP_BYTES
    ]
    images, rows = max(fits, default=(1, 1), key=lambda band: band[0] * band[1])
    image_bands, row_bands = -(-problem.batch // images), -(-out_h // rows)
    top, bottom = extent((vertical,), rows)
    strip_h, pitch = bottom - top + 1, strip_w * pixel
    row = [
        i * problem.dilation[0] * pitch + j * problem.dilation[1] * pixel + c
        for i, j, c in product(*map(range, (*problem.kernel_size, channels)))
    ]
    segment = [(n * strip_h + r * vertical.stride) * pitch for n, r in product(range(images), range(rows))]
    out = np.arange(len(row)) * padded_columns(problem.columns, width)
    sizes = GradSizes(
        problem.batch, channels, *problem.size, problem.columns, problem.groups, out_h, out_w, len(row),
        images, rows, image_bands, row_bands, min(parts, image_bands * row_bands),
        vertical.stride, horizontal.stride, top, left, strip_h, strip_w,
    )  # fmt: skip
    tables = GradTables(table_of(repeat_last(np.array(row))), table_of(repeat_last(out)), table_of(segment))
    return GradPlan(sizes, strip_size(images, rows), tables)


@numba.njit(nogil=True)
def tiled(rows: int, tile: int) -> int:
    """Rows that are computed when tiles of `tile` rows cover `rows`."""
    return (rows + tile - 1) // tile * tile


@numba.njit(nogil=True)
def _grad_tiles(
    strip: Array, first: int, b_first: int, segments: int, wide: int,
    partial: Array, c_first: int, sizes: Any, width: int, tables: Any,
) -> None:  # fmt: skip
    """Add one band's contribution, for one block of output channels, to a part's buffer."""
    row, out, segment = tables.row, tables.out, tables.segment
    a_step = sizes.stride_w * sizes.channels
    if wide > width:
        for entry in range(0, sizes.weights, ROWS_2):
            WIDE_TILE(
                strip, first, row, entry, segment, 0, segments, sizes.out_w, a_step,
                strip, b_first, wide, partial, c_first, out, partial, 0, wide,
            )  # fmt: skip
    elif width * strip.itemsize < VECTOR_BYTES:
        for entry in range(0, sizes.weights, ROWS_2):
            HALVED_TILE(
                strip, first, row, entry, segment, 0, segments, sizes.out_w, a_step,
                strip, b_first, wide, partial, c_first, out, partial, 0, wide,
            )  # fmt: skip
    elif tiled(sizes.weights, ROWS_2) < tiled(sizes.weights, ROWS_1):
        for entry in range(0, sizes.weights, ROWS_2):
            SHORT_TILE(
                strip, first, row, entry, segment, 0, segments, sizes.out_w, a_step,
                strip, b_first, wide, partial, c_first, out, partial, 0, wide,
            )  # fmt: skip
    else:
        for entry in range(0, sizes.weights, ROWS_1):
            NARROW_TILE(
                strip, first, row, entry, segment, 0, segments, sizes.out_w, a_step,
                strip, b_first, wide, partial, c_first, out, partial, 0, wide,
            )  # fmt: skip


@numba.njit(nogil=True)
def _grad_band(
    band: int, group: int, begin: int, x: Any, grad: Any, strip: Array, first: int,
    partial: Array, c_first: int, sizes: Any, width: int, tables: Any,
) -> None:  # fmt: skip
    """Copy a band of the input, and a block's columns of the gradient, to the strip; multiply."""
    n0 = band // sizes.row_bands * sizes.images
    r0 = band % sizes.row_bands * sizes.rows
    images = min(sizes.images, sizes.batch - n0)
    rows = min(sizes.rows, sizes.out_h - r0)
    copy_strip(
        strip, first, (images, sizes.strip_h, sizes.strip_w, sizes.channels), sizes.channels,
        x.flat, x.start + n0 * x.steps[0] + group * sizes.channels * x.steps[1], x.steps,
        (sizes.size_h, sizes.size_w), (r0 * sizes.stride_h + sizes.top, sizes.left),
    )  # fmt: skip
    b_first = first + sizes.images * sizes.strip_h * sizes.strip_w * sizes.channels
    image_step, channel_step, row_step, pixel_step = grad.steps
    origin = grad.start + n0 * image_step + r0 * row_step + (group * sizes.columns + begin) * channel_step
    wide = block_width(sizes.columns - begin, width)
    valid = min(wide, sizes.columns - begin)
    for n in range(images):
        for r in range(rows):
            copy_pixels(
                strip, b_first + (n * rows + r) * sizes.out_w * wide, wide, grad.flat,
                origin + n * image_step + r * row_step, pixel_step, channel_step, sizes.out_w, valid,
            )  # fmt: skip
    _grad_tiles(strip, first, b_first, images * rows, wide, partial, c_first, sizes, width, tables)


def _sum_signature(number: Any) -> Any:
    tables = types.NamedUniTuple(read_only(types.int64), 3, GradTables)
    return types.void(
        memory(number, 4), memory(number, 4), written(number), written(number, 2),
        integers(GradSizes), types.int64, tables,
    )  # fmt: skip


@parallel_kernel(_sum_signature)
def sum_parts(x: Any, grad: Any, partial: Array, strips: Array, sizes: Any, width: int, tables: Any) -> None:
    """Add to partial (parts, groups, weights, padded columns; flat), zero at first.

    x and grad are Memory of (N, C, H, W); `strips` (threads, size of a strip) is scratch memory.
    """
    padded = (sizes.columns + width - 1) // width * width
    blocks = blocks_of(sizes.columns, width)
    items = sizes.parts * sizes.groups * blocks
    bands = sizes.image_bands * sizes.row_bands
    threads = strips.shape[0]
    strip = strips.reshape(-1)
    x_flat, x_start, x_steps = x  # a parallel loop takes no tuple within a tuple
    grad_flat, grad_start, grad_steps = grad
    for thread in numba.prange(threads):
        from_x = Memory(x_flat, x_start, x_steps)
        from_grad = Memory(grad_flat, grad_start, grad_steps)
        for item in range(thread * items // threads, (thread + 1) * items // threads):
            place = item // blocks
            part = place // sizes.groups
            begin = block_begin(item % blocks, sizes.columns, width)
            c_first = place * sizes.weights * padded + begin
            for band in range(part * bands // sizes.parts, (part + 1) * bands // sizes.parts):
                _grad_band(
                    band, place % sizes.groups, begin, from_x, from_grad, strip, thread * strips.shape[1],
                    partial, c_first, sizes, width, tables,
                )  # fmt: skip


def _add_signature(number: Any) -> Any:
    return types.void(
        written(number), read_only(number), written(number, 2), integers(GradSizes), types.int64
    )


@parallel_kernel(_add_signature)
def add_parts(gradient: Array, partial: Array, squares: Array, sizes: Any, width: int) -> None:
    """gradient (C_out, C_in / groups, kernel; flat): the parts added in order.

    `squares` (threads, numbers of a square of full vectors) is scratch memory.
    """
    piece = SQUARES * width
    pieces = (sizes.weights + piece - 1) // piece
    units = sizes.groups * pieces
    threads = squares.shape[0]
    square = squares.reshape(-1)
    for thread in numba.prange(threads):
        here = thread * squares.shape[1]
        halved = width * width < squares.shape[1]
        for unit in range(thread * units // threads, (thread + 1) * units // threads):
            g, first = unit // pieces, unit % pieces * piece
            for begin in range(0, sizes.columns, width):
                for weight in range(first, min(first + piece, sizes.weights), width):
                    _add_square(gradient, partial, square, here, halved, g, begin, weight, sizes, width)


@numba.njit(nogil=True)
def _add_square(
    gradient: Array, partial: Array, square: Array, here: int, halved: bool, g: int, begin: int, first: int,
    sizes: Any, width: int,
) -> None:  # fmt: skip
    """A vector of columns from `begin` on, and so many weights of each from `first` on."""
    padded = (sizes.columns + width - 1) // width * width
    taps = sizes.weights // sizes.channels
    part_step = sizes.groups * sizes.weights * padded
    columns, weights = min(width, sizes.columns - begin), min(width, sizes.weights - first)
    target = (g * sizes.columns + begin) * sizes.weights + first
    whole = not halved and columns == weights == width
    for i in range(weights):
        c, t = (first + i) // taps, (first + i) % taps
        origin = (g * sizes.weights + t * sizes.channels + c) * padded + begin
        if whole:
            add_vectors(partial, origin, part_step, sizes.parts, square, here + i * width)
            continue
        for j in range(columns):
            total = partial[origin + j]
            for part in range(1, sizes.parts):
                total += partial[part * part_step + origin + j]
            gradient[target + j * sizes.weights + i] = total
    if whole:
        copy_square_transposed(square, here, width, gradient, target, sizes.weights)
