"""Arrays as stacks of matrices (outer, summed, inner), see `columns.cuh`, and the launch of their kernels."""

from __future__ import annotations

from math import prod
from typing import Any, NamedTuple

import numpy as np

from tinyconv.kernels.cuda._launch import dense

Array = Any

COLUMNS = np.dtype([(name, "i8") for name in ("outer", "summed", "inner", "rows")])
"""The struct Columns. CuPy hands an array of one element to a kernel by value."""
THREADS = 256
MOST_DEEP = 64
"""CUDA's limit of a block's third dimension."""
MOST_ACROSS = 32
"""A warp's threads; so many columns side by side are read as one piece of memory."""
ROWS_PER_THREAD = 16
MOST_PIECES = 256
MOST_BLOCKS = 65535
"""CUDA's limit of the grid's second dimension."""


class Stack(NamedTuple):
    """The sizes of a stack of matrices."""

    outer: int
    summed: int
    inner: int

    @property
    def columns(self) -> int:
        """How many columns all matrices have."""
        return self.outer * self.inner

    def block(self) -> tuple[int, int, int]:
        """The threads of a block: columns, rows and matrices."""
        across = min(MOST_ACROSS, _power_of_two(self.inner))
        down = min(THREADS // across, _power_of_two(self.summed))
        return across, down, min(MOST_DEEP, THREADS // (across * down))

    def pieces(self) -> int:
        """Into how many pieces a column is cut whose pieces are then joined."""
        most = min(MOST_PIECES, -(-self.summed // (self.block()[1] * ROWS_PER_THREAD)))
        return -(-self.summed // -(-self.summed // most))

    def launch(self, function: Any, pieces: int, args: tuple[Any, ...]) -> None:
        """Call the kernel with blocks for all columns, cut into so many pieces or fewer."""
        across, down, deep = self.block()
        rows = -(-self.summed // pieces)
        grid = (-(-self.inner // across) * -(-self.outer // deep), -(-self.summed // rows))
        geometry = np.array((*self, rows), COLUMNS)
        function(grid, (across, down, deep), (*args, geometry))

    def launch_elements(self, function: Any, args: tuple[Any, ...]) -> None:
        """The same for a kernel that joins nothing: the smaller the pieces, the more threads work."""
        self.launch(function, min(MOST_BLOCKS, -(-self.summed // (self.block()[1] * 4))), args)


def _power_of_two(n: int) -> int:
    """The first power of two that is not below n."""
    return 1 << (n - 1).bit_length()


class Runs:
    """A dense array whose axes are taken away run by run: a run is axes that are neighbours in memory.

    Attributes
    ----------
    array : array
        The array itself, or a copy of it without gaps.
    """

    def __init__(self, array: Array, axes: tuple[int, ...]) -> None:
        self.array = dense(array)
        self._taken = {axis % array.ndim for axis in axes}
        strides = self.array.strides
        order = sorted(range(array.ndim), key=lambda axis: (-strides[axis], axis))
        self._left = [axis for axis in order if array.shape[axis] > 1]
        """The axes that are left, in memory order, without those of size 1."""

    def take(self, longest: bool = False) -> Stack | None:
        """The stack of matrices whose rows are the last run that is left, or the longest; None if none is.

        The run is taken away.
        """
        runs, start = [], None
        for place, axis in enumerate([*self._left, None]):
            if axis in self._taken:
                start = place if start is None else start
            elif start is not None:
                runs.append((self._size(start, place), start, place))
                start = None
        if not runs:
            return None
        summed, start, stop = max(runs) if longest else runs[-1]
        stack = Stack(self._size(0, start), summed, self._size(stop, None))
        del self._left[start:stop]
        return stack

    def _size(self, start: int, stop: int | None) -> int:
        return prod(self.array.shape[axis] for axis in self._left[start:stop])

    def is_done(self) -> bool:
        """Whether no run is left."""
        return not self._taken.intersection(self._left)

    def mean(self, flat: Array) -> Array:
        """Of a flat array, one number for each element of what is left: the mean over the runs left.

        It has the shape of what is left, with sizes of 1 where the mean was taken.
        """
        whole = flat.reshape([self.array.shape[axis] for axis in self._left])
        taken = tuple(i for i, axis in enumerate(self._left) if axis in self._taken)
        return whole.mean(axis=taken, keepdims=True) if taken else whole

    def spread(self, part: Array) -> Array:
        """The inverse: each number as often as there are elements in its mean, flat."""
        import cupy

        shape = [self.array.shape[axis] for axis in self._left]
        return cupy.ascontiguousarray(cupy.broadcast_to(part, shape)).reshape(-1)

    def as_left(self, part: Array) -> Array:
        """A statistic in the caller's shape, the axes with size 1, in the shape that `mean` gives."""
        others = [axis for axis in range(part.ndim) if axis not in self._left]
        return part.transpose([*self._left, *others]).reshape([part.shape[axis] for axis in self._left])

    def as_given(self, part: Array, keepdims: bool) -> Array:
        """Numbers of the kept axes, in memory order and whatever shape, in the shape of the caller."""
        shape = self.array.shape
        kept = [axis for axis in self._left if axis not in self._taken]
        kept += [axis for axis, n in enumerate(shape) if n == 1 and axis not in self._taken]
        ordered = part.reshape([shape[axis] for axis in kept])
        ordered = ordered.transpose([kept.index(axis) for axis in sorted(kept)])
        if not keepdims:
            return ordered
        return ordered.reshape([1 if axis in self._taken else n for axis, n in enumerate(shape)])
