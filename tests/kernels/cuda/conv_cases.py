"""Convolutions to try, small ones: the emulator computes thread by thread."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from tests.kernels.conv_case import Case, channels_last, every_second

Array = Any


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


def off_the_beginning(array: Array) -> Array:
    """Channels-last, one number beyond the beginning of its memory: four numbers cannot be loaded at once."""
    last = channels_last(array)
    order = sorted(range(array.ndim), key=lambda axis: -last.strides[axis])
    memory = np.full(array.size + 1, np.nan, array.dtype)
    view = memory[1:].reshape([array.shape[axis] for axis in order]).transpose(np.argsort(order))
    view[...] = array
    return view


ORDERS = (np.ascontiguousarray, channels_last, every_second, off_the_beginning)
