"""What the kernels of convolution are told: the geometry of windows.cuh, and arrays in their order."""

from __future__ import annotations

from functools import lru_cache
from math import prod
from typing import Any, NamedTuple

import numpy as np

from tinyconv.kernels.cuda._launch import channels_first, channels_last

Array = Any
Sizes = tuple[int, ...]

THREE = (np.int32, 3)
GEOMETRY = np.dtype(
    [
        ("batch", np.int32), ("groups", np.int32), ("in_channels", np.int32), ("out_channels", np.int32),
        ("in_size", *THREE), ("out_size", *THREE), ("kernel", *THREE), ("stride", *THREE),
        ("padding", *THREE), ("dilation", *THREE), ("transposed", np.int32),
    ]
)  # fmt: skip
"""The struct `Geometry` of windows.cuh."""

STRIDES = np.dtype([("image", np.int64), ("channel", np.int64), ("along", np.int64, 3)])
"""The struct `Strides` of im2col.cu."""

DIMS = 3
CACHED_PROBLEMS = 1024
QUAD = 4
ALIGNMENT = 16
FEW_COLUMNS = 16
"""Groups with fewer output channels than this have kernels of their own, in grouped.cu."""


class Problem(NamedTuple):
    """One convolution or transposed convolution in up to three dimensions; channels are those of one group.

    `size` and `channels` are of the array that is read, `out_size` and `columns` of the one that is written.
    """

    batch: int
    groups: int
    channels: int
    columns: int
    size: Sizes
    out_size: Sizes
    kernel_size: Sizes
    stride: Sizes
    padding: Sizes
    dilation: Sizes
    transposed: bool

    @property
    def classes(self) -> int:
        """How many classes of outputs there are: they meet different taps, see windows.cuh."""
        if not self.transposed:
            return 1
        return prod(min(s, n) for s, n in zip(self.stride, self.out_size, strict=True))

    @property
    def outputs(self) -> int:
        """The number of outputs in the largest class, of all images."""
        steps = self.stride if self.transposed else (1,) * len(self.out_size)
        return self.batch * prod(-(-n // s) for n, s in zip(self.out_size, steps, strict=True))

    @property
    def has_small_groups(self) -> bool:
        """Whether the tiles of a matrix product would be nearly empty."""
        return self.groups > 1 and self.columns < FEW_COLUMNS

    @property
    def terms(self) -> int:
        """The number of terms of a sum that meets all taps."""
        return self.channels * prod(self.kernel_size)


@lru_cache(maxsize=CACHED_PROBLEMS)
def geometry(problem: Problem) -> np.ndarray:
    """The struct for a kernel: an array of one element, which CuPy hands over by value."""

    def lift(sizes: Sizes, missing: int) -> Sizes:
        return (missing,) * (DIMS - len(sizes)) + sizes

    numbers = (
        problem.batch, problem.groups, problem.channels, problem.columns, lift(problem.size, 1),
        lift(problem.out_size, 1), lift(problem.kernel_size, 1), lift(problem.stride, 1),
        lift(problem.padding, 0), lift(problem.dilation, 1), problem.transposed,
    )  # fmt: skip
    return np.array(numbers, dtype=GEOMETRY)


def strides_of(x: Array) -> np.ndarray:
    """How far the neighbours of a number of x (N, C, *size) are, along each axis."""
    image, channel, *along = (step // x.itemsize for step in x.strides)
    return np.array((image, channel, [0] * (DIMS - len(along)) + along), dtype=STRIDES)


def transposed(weight: Array, groups: int) -> Array:
    """The weight (C_in, C_out / groups, *kernel) as (C_out, C_in / groups, *kernel), a view or a copy."""
    channels, columns = len(weight) // groups, weight.shape[1]
    grouped = weight.reshape(groups, channels, columns, *weight.shape[2:])
    return grouped.swapaxes(1, 2).reshape(groups * columns, channels, *weight.shape[2:])


def in_quads(array: Array, groups: int = 1) -> Array:
    """An array (N, groups * C, *size) as (N, *size, groups * C'), C' being a multiple of 4.

    What is more than C is filled with zeros. It begins at a multiple of 16 bytes, so that the kernels can
    load four numbers at once.
    """
    import cupy

    channels = array.shape[1] // groups
    if channels % QUAD == 0:
        last = channels_last(array)
        return last if last.data.ptr % ALIGNMENT == 0 else last.copy()
    last = cupy.moveaxis(array, 1, -1)
    room = cupy.zeros((*last.shape[:-1], groups, whole_quads(channels)), array.dtype)
    room[..., :channels] = last.reshape(*last.shape[:-1], groups, channels)
    return room.reshape(*last.shape[:-1], groups * whole_quads(channels))


def whole_quads(count: int) -> int:
    """The next multiple of 4."""
    return -(-count // QUAD) * QUAD


def in_channels_last_memory(array: Array) -> Array:
    """`array` (N, C, *size), or a copy of it, that lies in memory as (N, *size, C)."""
    return channels_first(channels_last(array))


def empty_channels_last(batch: int, channels: int, size: Sizes, dtype: Any) -> Array:
    """A new array (batch, channels, *size) that lies in memory as (batch, *size, channels)."""
    import cupy

    return channels_first(cupy.empty((batch, *size, channels), dtype))
