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

from tinyconv.kernels.cpu._compile import parallel_kernel, read_only, written
from tinyconv.kernels.cpu._sweep import block_begin, block_width, blocks_of
from tinyconv.kernels.cpu._windows import (
    CACHED_PLANS,
    STRIP_BYTES,
    Problem,
    even_parts,
    extent,
    repeat_last,
)
from tinyconv.kernels.cpu.layout import copy_pixels, copy_strip
from tinyconv.kernels.cpu.microkernel import ROWS_1, ROWS_2, make_tile

Array = Any

WIDE_TILE = make_tile(ROWS_2, 2, accumulate=True, masked=False)
NARROW_TILE = make_tile(ROWS_1, 1, accumulate=True, masked=False)

ITEMS = 16
MIN_PIXELS = 96


class GradSizes(NamedTuple):
    """The numbers that the compiled kernel needs; channels and columns are those of one group."""

    count: int
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


class GradPlan(NamedTuple):
    """Everything about one geometry: micro-kernel tables, and the size of a thread's strip."""

    sizes: GradSizes
    strip: int
    row: Array
    segment: Array
    out: Array


SIZES = types.NamedUniTuple(types.int64, len(GradSizes._fields), GradSizes)


@lru_cache(maxsize=CACHED_PLANS)
def grad_plan(problem: Problem, itemsize: int, width: int) -> GradPlan:
    """The bands, parts and tables for the weight gradient of a convolution."""
    (vertical,), (horizontal,) = problem.axes()
    channels, (out_h, out_w) = problem.channels, problem.out_size
    left, right = extent((horizontal,), None)
    strip_w = right - left + 1
    wide = min(2, -(-problem.columns // width)) * width
    blocks = blocks_of(problem.columns, width) * problem.groups

    def strip_size(images: int, rows: int) -> int:
        top, bottom = extent((vertical,), rows)
        return images * ((bottom - top + 1) * strip_w * channels + rows * out_w * wide)

    parts = -(-ITEMS // blocks)
    most = max(MIN_PIXELS, problem.count * out_h * out_w // parts)
    bands = [(1, rows) for rows in even_parts(out_h)]
    bands += [(images, out_h) for images in even_parts(problem.count)]
    fits = [
        (images, rows)
        for images, rows in bands
        if images * rows * out_w <= most and strip_size(images, rows) * itemsize <= STRIP_BYTES
    ]
    images, rows = max(fits, default=(1, 1), key=lambda band: band[0] * band[1])
    image_bands, row_bands = -(-problem.count // images), -(-out_h // rows)
    top, bottom = extent((vertical,), rows)
    strip_h, pitch = bottom - top + 1, strip_w * channels
    row = [
        i * problem.dilation[0] * pitch + j * problem.dilation[1] * channels + c
        for i, j, c in product(*map(range, (*problem.kernel_size, channels)))
    ]
    segment = [
        (n * strip_h + r * vertical.stride) * pitch for n, r in product(range(images), range(rows))
    ]
    padded = -(-problem.columns // width) * width
    sizes = GradSizes(
        problem.count, channels, *problem.size, problem.columns, problem.groups, out_h, out_w, len(row),
        images, rows, image_bands, row_bands, min(parts, image_bands * row_bands),
        vertical.stride, horizontal.stride, top, left, strip_h, strip_w,
    )  # fmt: skip
    return GradPlan(
        sizes,
        strip_size(images, rows),
        repeat_last(np.array(row)),
        np.array(segment, dtype=np.int64),
        repeat_last(np.arange(len(row)) * padded),
    )


@numba.njit(nogil=True)
def _grad_tiles(strip, first, b_first, partial, c_first, sizes, wide, width, segments, row, segment, out):
    """Add one band's contribution, for one block of output channels, to a part's buffer."""
    a_step = sizes.stride_w * sizes.channels
    if wide > width:
        for r in range(0, sizes.weights, ROWS_2):
            WIDE_TILE(
                strip, first, row, r, segment, 0, segments, sizes.out_w, a_step,
                strip, b_first, wide, partial, c_first, out, partial, 0, wide,
            )  # fmt: skip
    else:
        for r in range(0, sizes.weights, ROWS_1):
            NARROW_TILE(
                strip, first, row, r, segment, 0, segments, sizes.out_w, a_step,
                strip, b_first, wide, partial, c_first, out, partial, 0, wide,
            )  # fmt: skip


@numba.njit(nogil=True)
def _grad_band(
    band, group, begin, wide, x, x_start, x_steps, grad, grad_start, grad_steps, strip, first,
    partial, c_first, sizes, width, row, segment, out,
):  # fmt: skip
    """Copy a band of input and gradient to the strip, then multiply."""
    n0 = band // sizes.row_bands * sizes.images
    r0 = band % sizes.row_bands * sizes.rows
    images = min(sizes.images, sizes.count - n0)
    rows = min(sizes.rows, sizes.out_h - r0)
    copy_strip(
        strip, first, (images, sizes.strip_h, sizes.strip_w, sizes.channels),
        x, x_start + n0 * x_steps[0] + group * sizes.channels * x_steps[1], x_steps,
        (sizes.size_h, sizes.size_w), (r0 * sizes.stride_h + sizes.top, sizes.left),
    )  # fmt: skip
    b_first = first + sizes.images * sizes.strip_h * sizes.strip_w * sizes.channels
    origin = grad_start + n0 * grad_steps[0] + r0 * grad_steps[2]
    origin += (group * sizes.columns + begin) * grad_steps[1]
    for n in range(images):
        for r in range(rows):
            copy_pixels(
                strip, b_first + (n * rows + r) * sizes.out_w * wide, wide,
                grad, origin + n * grad_steps[0] + r * grad_steps[2], grad_steps[3], grad_steps[1],
                sizes.out_w, min(wide, sizes.columns - begin),
            )  # fmt: skip
    _grad_tiles(
        strip, first, b_first, partial, c_first, sizes, wide, width, images * rows, row, segment, out
    )  # fmt: skip


def _sum_signature(number: Any) -> Any:
    table, steps = read_only(types.int64), types.UniTuple(types.int64, 4)
    return types.void(
        read_only(number), types.int64, steps, read_only(number), types.int64, steps,
        written(number, 2), written(number), SIZES, types.int64, table, table, table,
    )  # fmt: skip


@parallel_kernel(_sum_signature)
def sum_parts(
    x, x_start, x_steps, grad, grad_start, grad_steps, strips, partial, sizes, width, row, segment, out
):  # fmt: skip
    """partial (parts, groups, weights, padded columns), zero at first, from x and grad."""
    padded = (sizes.columns + width - 1) // width * width
    blocks = blocks_of(sizes.columns, width)
    items = sizes.parts * sizes.groups * blocks
    bands = sizes.image_bands * sizes.row_bands
    threads = strips.shape[0]
    flat = strips.reshape(-1)
    for thread in numba.prange(threads):
        for item in range(thread * items // threads, (thread + 1) * items // threads):
            place = item // blocks
            part = place // sizes.groups
            begin = block_begin(item % blocks, sizes.columns, width)
            wide = block_width(sizes.columns - begin, width)
            for band in range(part * bands // sizes.parts, (part + 1) * bands // sizes.parts):
                _grad_band(
                    band, place % sizes.groups, begin, wide, x, x_start, x_steps, grad, grad_start, grad_steps,
                    flat, thread * strips.shape[1], partial, place * sizes.weights * padded + begin,
                    sizes, width, row, segment, out,
                )  # fmt: skip


def _add_signature(number: Any) -> Any:
    return types.void(written(number), read_only(number), SIZES, types.int64)


@parallel_kernel(_add_signature)
def add_parts(gradient, partial, sizes, width):
    """gradient (C_out, C_in / groups, kernel, flat): the parts added in order."""
    padded = (sizes.columns + width - 1) // width * width
    taps = sizes.weights // sizes.channels
    part_step = sizes.groups * sizes.weights * padded
    for unit in numba.prange(sizes.groups * sizes.channels):
        g = unit // sizes.channels
        c = unit % sizes.channels
        for begin in range(0, sizes.columns, width):
            for t in range(taps):
                origin = (g * sizes.weights + t * sizes.channels + c) * padded
                for j in range(begin, min(begin + width, sizes.columns)):
                    total = partial[origin + j]
                    for part in range(1, sizes.parts):
                        total += partial[part * part_step + origin + j]
                    gradient[((g * sizes.columns + j) * sizes.channels + c) * taps + t] = total
