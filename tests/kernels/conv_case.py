"""A convolution that the kernels are tried on, and memory orders of its arrays."""

from __future__ import annotations

from math import prod
from typing import Any, NamedTuple

import numpy as np

from tinyconv.kernels.reference import conv as reference

Array = Any


class Case(NamedTuple):
    """One geometry; channels and columns (output channels) are those of one group."""

    batch: int
    channels: int
    columns: int
    groups: int
    size: tuple[int, ...]
    kernel_size: tuple[int, ...]
    stride: tuple[int, ...]
    padding: tuple[int, ...]
    dilation: tuple[int, ...]

    @property
    def geometry(self) -> tuple[Any, ...]:
        return self.stride, self.padding, self.dilation, self.groups

    @property
    def out_size(self) -> tuple[int, ...]:
        return reference.output_size(self.size, self.kernel_size, self.stride, self.padding, self.dilation)

    def arrays(self, dtype: Any = np.float32, seed: int = 0) -> tuple[Array, Array, Array, Array]:
        """x, weight, bias and an output gradient."""
        rng = np.random.default_rng(seed)
        shapes = [
            (self.batch, self.channels * self.groups, *self.size),
            (self.columns * self.groups, self.channels, *self.kernel_size),
            (self.columns * self.groups,),
            (self.batch, self.columns * self.groups, *self.out_size),
        ]
        x, weight, bias, grad = (rng.standard_normal(shape).astype(dtype) for shape in shapes)
        return x, weight, bias, grad

    def three_maps(self, kernels: Any, x: Array, weight: Array, bias: Any, grad: Array) -> list[Array]:
        """What `kernels` makes of the arrays: the convolution and its two adjoints."""
        return [
            kernels.conv(x, weight, bias, *self.geometry),
            kernels.conv_transpose(grad, weight, None, self.size, *self.geometry),
            kernels.conv_weight_grad(x, grad, self.kernel_size, *self.geometry),
        ]

    def terms(self) -> tuple[int, int, int]:
        """At most how many products each number of the three maps is the sum of."""
        taps = prod(self.kernel_size)
        return self.channels * taps + 1, self.columns * taps, self.batch * prod(self.out_size)


def channels_last(array: Array) -> Array:
    if array.ndim < 3:
        return array
    return np.moveaxis(np.ascontiguousarray(np.moveaxis(array, 1, -1)), -1, 1)


def every_second(array: Array) -> Array:
    """A view with steps in every axis, some negative."""
    wide = np.full([2 * n for n in array.shape], np.nan, array.dtype)
    view = wide[tuple(slice(None, None, 2 if axis % 2 else -2) for axis in range(array.ndim))]
    view[...] = array
    return view
