"""Where windows lie: the tables that turn a convolution into calls of the micro-kernel.

Along one axis a convolution meets, for output position r and kernel position t, the input
position ``r * stride + t * dilation - padding``. Its adjoint, the transposed convolution,
looks at the same equation from the other side: output position o meets input position i when
``o = i * stride + t * dilation - padding``. With stride 1 that is a convolution with the
kernel flipped. With stride s, the outputs fall into s phases, o = s * q + a - padding; those of
phase a meet only the kernel positions with ``t * dilation = a (mod s)``, at
``i = q - (t * dilation - a) / s``: an ordinary stride-1 convolution with a part of the kernel,
whose results are written s apart. No zeros are inserted and none are multiplied. (A 2x2
kernel with stride 2, the up-convolution of a U-Net, is four 1x1 convolutions.)

So one description, `Axis`, serves both. `plan` combines the axes, cuts the image into bands
that fit into the second-level cache, and makes the offset tables. A band's input rows are
first copied to a small strip (channels last, zeros at the borders): this is where padding
and foreign memory orders are dealt with, at the cost of a pass over the cache instead of
one over the memory.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import product
from math import prod
from typing import Any, NamedTuple

import numpy as np

from tinyconv.kernels.cpu.memory import read_only
from tinyconv.kernels.cpu.microkernel import MAX_ROWS, ROWS_1, ROWS_2

Array = Any
Pair = tuple[int, int]

STRIP_BYTES = 384 * 1024
CACHED_PLANS = 256


class Axis(NamedTuple):
    """One phase of one axis: output ``first + r * step`` meets input ``r * stride + offset`` with tap."""

    taps: tuple[int, ...]
    offsets: tuple[int, ...]
    stride: int
    first: int
    step: int
    outputs: int


def convolution_axis(outputs: int, kernel: int, stride: int, padding: int, dilation: int) -> tuple[Axis, ...]:
    """The single phase of a convolution with `outputs` outputs."""
    taps = tuple(range(kernel))
    return (Axis(taps, tuple(t * dilation - padding for t in taps), stride, 0, 1, outputs),)


def transposed_axis(size: int, kernel: int, stride: int, padding: int, dilation: int) -> tuple[Axis, ...]:
    """The phases of a transposed convolution with `size` outputs."""
    phases = []
    for a in range(stride):
        first_q = -((a - padding) // stride)
        last_q = (size - 1 + padding - a) // stride
        taps = tuple(t for t in reversed(range(kernel)) if t * dilation % stride == a)
        offsets = tuple(first_q - (t * dilation - a) // stride for t in taps)
        first = stride * first_q + a - padding
        phases.append(Axis(taps, offsets, 1, first, stride, max(0, last_q - first_q + 1)))
    return tuple(phase for phase in phases if phase.outputs)


class Sizes(NamedTuple):
    """The numbers that the compiled kernels need. One group's channels are seen at a time.

    A band is `images` images by `rows` output rows (of each phase); `bands` = image_bands *
    row_bands cover everything, the last ones moved back to end with the batch or the image.
    Band row r begins at strip row `r * stride`; the strip starts `top` rows and `left`
    columns from there in the input.
    """

    batch: int
    channels: int
    size_h: int
    size_w: int
    columns: int
    groups: int
    taps: int
    images: int
    rows: int
    all_rows: int
    image_bands: int
    row_bands: int
    stride: int
    top: int
    left: int
    strip_h: int
    strip_w: int
    image_step: int
    row_step: int


class Phase(NamedTuple):
    """Where one phase's entries begin in the tables, and how many it has."""

    table: int
    pixels: int
    all_rows: int
    rows: int
    segment: int
    segments: int
    length: int
    tap: int


class Tables(NamedTuple):
    """The `Phase` of each phase, and the micro-kernel's tables of all of them."""

    phases: Array
    row: Array
    out: Array
    segment: Array


class Plan(NamedTuple):
    """Everything about one geometry; `strip` is the size of a band's strip."""

    sizes: Sizes
    strip: int
    taps: Array
    tables: Tables


class Problem(NamedTuple):
    """What a plan is made for. `channels` and `columns` are those of one group, in and out."""

    batch: int
    size: Pair
    channels: int
    out_size: Pair
    columns: int
    groups: int
    kernel_size: Pair
    stride: Pair
    padding: Pair
    dilation: Pair
    transposed: bool

    def products(self) -> int:
        """How many products are added up; with padding, somewhat fewer."""
        places = self.size if self.transposed else self.out_size
        return prod((self.batch, *places, self.channels, self.columns, self.groups, *self.kernel_size))

    def axes(self) -> tuple[tuple[Axis, ...], tuple[Axis, ...]]:
        """The phases of both axes."""
        make = transposed_axis if self.transposed else convolution_axis
        geometry = zip(self.out_size, self.kernel_size, self.stride, self.padding, self.dilation, strict=True)
        vertical, horizontal = (make(*axis) for axis in geometry)
        return vertical, horizontal

    def runs(self) -> list[tuple[int, int, int]]:
        """Pixels of an image, runs of neighbouring numbers in a window, and their length; for each phase."""
        runs = []
        for v, h in product(*self.axes()):
            begins, length = _segments(v.offsets, h.offsets, 0, 0, 1, self.channels)
            runs.append((v.outputs * h.outputs, len(begins), length))
        return runs


@lru_cache(maxsize=CACHED_PLANS)
def plan(problem: Problem, threads: int, itemsize: int, width: int) -> Plan:
    """The bands and tables of `problem`, for `threads` threads and vectors of `width` numbers."""
    vertical, horizontal = problem.axes()
    images, rows = _choose_band(problem, vertical, horizontal, threads, itemsize, width)
    return _tables(problem, vertical, horizontal, images, rows)


def extent(axes: tuple[Axis, ...], rows: int | None) -> Pair:
    """First and last input position, relative to the band's first, that `rows` outputs meet.

    With `rows` None, all outputs. A phase with fewer outputs than the longest one may stand
    back by the difference when the last band is moved back.
    """
    longest = max(axis.outputs for axis in axes)
    low, high = [], []
    for axis in axes:
        if axis.taps:
            here = axis.outputs if rows is None else min(rows, axis.outputs)
            back = 0 if rows is None else (longest - axis.outputs) * axis.stride
            low.append(min(axis.offsets) - back)
            high.append(max(axis.offsets) + (here - 1) * axis.stride)
    return (min(low), max(high)) if low else (0, 0)


def _tables(
    problem: Problem, vertical: tuple[Axis, ...], horizontal: tuple[Axis, ...], images: int, rows: int
) -> Plan:
    all_rows = max(axis.outputs for axis in vertical)
    top, bottom = extent(vertical, rows)
    left, right = extent(horizontal, None)
    strip_h, strip_w = bottom - top + 1, right - left + 1
    pitch = strip_w * problem.channels
    out_channels = problem.columns * problem.groups
    out_h, out_w = problem.out_size
    phases: list[Phase] = []
    row_parts: list[Array] = []
    out_parts: list[Array] = []
    segments: list[int] = []
    taps: list[tuple[int, int]] = []
    table = 0
    for v, h in product(vertical, horizontal):
        here = min(rows, v.outputs)
        grid = np.ix_(np.arange(images), np.arange(here), np.arange(h.outputs))
        n, r, c = (axis.astype(np.int64) for axis in grid)
        row = (n * strip_h + r * v.stride) * pitch + c * h.stride * problem.channels
        out = ((n * out_h + v.first + r * v.step) * out_w + h.first + c * h.step) * out_channels
        runs, length = _segments(v.offsets, h.offsets, top, left, pitch, problem.channels)
        phases.append(Phase(table, row.size, v.outputs, here, len(segments), len(runs), length, len(taps)))
        segments += runs
        taps += list(product(v.taps, h.taps))
        for parts, entries in ((row_parts, row), (out_parts, out)):
            parts.append(repeat_last(entries.ravel()))
        table += row_parts[-1].size
    sizes = Sizes(
        problem.batch, problem.channels, *problem.size, problem.columns, problem.groups, len(taps),
        images, rows, all_rows, -(-problem.batch // images), -(-all_rows // rows), vertical[0].stride,
        top, left, strip_h, strip_w, out_h * out_w * out_channels, vertical[0].step * out_w * out_channels,
    )  # fmt: skip
    tables = Tables(
        table_of(phases), table_of(np.concatenate(row_parts)), table_of(np.concatenate(out_parts)),
        table_of(segments),
    )  # fmt: skip
    return Plan(sizes, images * strip_h * pitch, table_of(taps).reshape(-1, 2), tables)


def table_of(entries: Any) -> Array:
    """A read-only table of offsets: cached plans are shared."""
    return read_only(np.array(entries, dtype=np.int64))


def repeat_last(entries: Array) -> Array:
    """Pad a table so that a tile may begin at any valid entry."""
    return np.pad(entries.astype(np.int64), (0, MAX_ROWS), mode="edge")


def _segments(
    vertical: tuple[int, ...], horizontal: tuple[int, ...], top: int, left: int, pitch: int, channels: int
) -> tuple[list[int], int]:
    """Begin of each run of neighbouring numbers in a window, and the length of the runs.

    Taps next to each other make one run of ``taps * channels`` numbers.
    """
    starts = [(row - top) * pitch for row in vertical]
    if not horizontal:
        return [], 0
    if horizontal[-1] - horizontal[0] == len(horizontal) - 1:
        begin = (horizontal[0] - left) * channels
        return [start + begin for start in starts], len(horizontal) * channels
    return [start + (column - left) * channels for start in starts for column in horizontal], channels


def _choose_band(
    problem: Problem,
    vertical: tuple[Axis, ...],
    horizontal: tuple[Axis, ...],
    threads: int,
    itemsize: int,
    width: int,
) -> Pair:
    """Images and rows per band: the fastest by a rough count of cycles, if the strip fits the cache.

    Large bands copy fewer border rows twice and read the weights less often; small ones
    spread better over the threads.
    """
    all_rows = max(axis.outputs for axis in vertical)
    left, right = extent(horizontal, None)
    vectors = -(-problem.columns // width)
    tile = ROWS_2 if vectors > 1 else ROWS_1
    weights = problem.kernel_size[0] * problem.kernel_size[1] * problem.channels
    phases = len(vertical) * len(horizontal)
    mean_columns = sum(axis.outputs for axis in horizontal)

    def cycles(images: int, rows: int) -> float:
        top, bottom = extent(vertical, rows)
        strip = images * (bottom - top + 1) * (right - left + 1) * problem.channels
        if strip * itemsize > STRIP_BYTES and (images, rows) != (1, 1):
            return float("inf")
        pixels = images * rows * mean_columns * len(vertical) / phases
        tiles = -(-pixels // tile) * phases
        steps = tiles * tile * vectors * (weights / phases + 4)
        reload = weights * vectors * width / 8
        bands = -(-problem.batch // images) * -(-all_rows // rows)
        return -(-bands // threads) * (steps + reload + 4 * strip / width + 500)

    rows_only = [(1, rows) for rows in even_parts(all_rows)]
    whole_images = [(images, all_rows) for images in even_parts(problem.batch)]
    return min(rows_only + whole_images, key=lambda band: cycles(*band))


def even_parts(total: int) -> list[int]:
    """Part sizes that cut `total` into 1, 2, 3, ... nearly equal parts."""
    return sorted({-(-total // parts) for parts in range(1, total + 1)})
