"""Convolutions to try, small ones: the emulator computes thread by thread."""

from __future__ import annotations

from math import prod
from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

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

    def arrays(self, dtype: Any = np.float32) -> tuple[Array, Array, Array, Array]:
        """x, weight, bias and an output gradient."""
        rng = np.random.default_rng(0)
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


@st.composite
def cases(draw: Any) -> Case:
    """One to three dimensions; also empty batches, strides beyond the kernel, padding beyond it."""
    axes = [_axis(draw) for _ in range(draw(st.sampled_from((1, 2, 2, 2, 3))))]
    size, kernel_size, stride, padding, dilation = (tuple(axis) for axis in zip(*axes, strict=True))
    groups = draw(st.sampled_from((1, 1, 1, 2, 3)))
    return Case(
        draw(st.integers(0, 2)), draw(st.sampled_from((1, 3, 4, 8))),
        draw(st.sampled_from((1, 3, 4, 17, 36))), groups, size, kernel_size, stride, padding, dilation,
    )  # fmt: skip


def _axis(draw: Any) -> tuple[int, int, int, int, int]:
    kernel, dilation, padding = draw(st.integers(1, 3)), draw(st.integers(1, 3)), draw(st.integers(0, 3))
    smallest = max(1, dilation * (kernel - 1) + 1 - 2 * padding)
    return draw(st.integers(smallest, smallest + 4)), kernel, draw(st.integers(1, 4)), padding, dilation


LAYERS = {
    "3x3": Case(2, 8, 20, 1, (9, 7), (3, 3), (1, 1), (1, 1), (1, 1)),
    "stride 2": Case(1, 4, 36, 1, (11, 10), (3, 3), (2, 2), (1, 1), (1, 1)),
    "one channel": Case(2, 1, 6, 1, (12, 12), (5, 5), (1, 1), (2, 2), (1, 1)),
    "three channels": Case(1, 3, 16, 1, (12, 13), (7, 7), (2, 2), (3, 3), (1, 1)),
    "1x1": Case(3, 20, 40, 1, (6, 5), (1, 1), (1, 1), (0, 0), (1, 1)),
    "patches": Case(2, 4, 8, 1, (8, 12), (4, 4), (4, 4), (0, 0), (1, 1)),
    "dilation": Case(1, 8, 8, 1, (12, 11), (3, 3), (1, 1), (4, 4), (4, 4)),
    "stride and dilation": Case(1, 4, 8, 1, (17, 15), (3, 4), (4, 3), (2, 1), (2, 3)),
    "groups": Case(2, 4, 20, 3, (7, 6), (3, 3), (1, 1), (1, 1), (1, 1)),
    "depthwise": Case(2, 1, 1, 40, (9, 8), (3, 3), (2, 1), (1, 1), (1, 1)),
    "depthwise, two each": Case(2, 1, 2, 5, (6, 8), (3, 3), (1, 1), (1, 1), (1, 1)),
    "small groups": Case(1, 3, 5, 4, (7, 6), (3, 2), (2, 1), (1, 1), (1, 1)),
    "row": Case(2, 4, 20, 1, (30,), (5,), (2,), (2,), (1,)),
    "volume": Case(1, 4, 17, 1, (5, 6, 7), (3, 3, 3), (1, 1, 1), (1, 1, 1), (1, 1, 1)),
    "volume, stride 2": Case(1, 4, 8, 1, (6, 6, 4), (2, 2, 2), (2, 2, 2), (0, 0, 0), (1, 1, 1)),
}
"""The kinds of layers that networks have."""


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


def off_the_beginning(array: Array) -> Array:
    """Channels-last, one number beyond the beginning of its memory: four numbers cannot be loaded at once."""
    last = channels_last(array)
    order = sorted(range(array.ndim), key=lambda axis: -last.strides[axis])
    memory = np.full(array.size + 1, np.nan, array.dtype)
    view = memory[1:].reshape([array.shape[axis] for axis in order]).transpose(np.argsort(order))
    view[...] = array
    return view


ORDERS = (np.ascontiguousarray, channels_last, every_second, off_the_beginning)
