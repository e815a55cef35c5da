"""Convolution on the fast path: in one, two or three dimensions, with an activation function or none."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyconv.device import FLOAT_DTYPES, conv_algorithm
from tinyconv.kernels.cpu._activations import NOTHING, Epilogue
from tinyconv.kernels.cpu._planes import conv_planes
from tinyconv.kernels.cpu._volume import conv_volume
from tinyconv.kernels.reference import conv as reference

Array = Any
Sizes = tuple[int, ...]


def convolve(
    x: Array,
    weight: Array,
    bias: Array | None,
    stride: Sizes,
    padding: Sizes,
    dilation: Sizes,
    groups: int,
    epilogue: Epilogue = NOTHING,
) -> Array:
    """The fast convolution, and the activation function of `epilogue`."""
    if x.ndim == 3:
        return convolve(
            lift(x), lift(weight), bias, (1, *stride), (0, *padding), (1, *dilation), groups, epilogue
        )[:, :, 0]  # fmt: skip
    size = reference.output_size(x.shape[2:], weight.shape[2:], stride, padding, dilation)
    if x.ndim == 4:
        return conv_planes(x, weight, bias, size, stride, padding, dilation, groups, epilogue=epilogue)
    parts = [
        conv_volume(*arrays, size, stride, padding, dilation, epilogue)
        for arrays in by_group(groups, x, weight, bias)
    ]
    return parts[0] if groups == 1 else np.concatenate(parts, axis=1)


def is_fast(first: Array, *others: Array | None) -> bool:
    """Whether the compiled kernels cover these: one float dtype, nothing empty.

    And whether they are wanted: im2col is what the reference does.
    """
    return (
        conv_algorithm.get() != "im2col"
        and first.dtype in FLOAT_DTYPES
        and first.ndim in (3, 4, 5)
        and first.size > 0
        and all(a is None or (a.dtype == first.dtype and a.size > 0) for a in others)
    )


def lift(array: Array) -> Array:
    """(N, C, L) to (N, C, 1, L)."""
    return array[:, :, None]


def channel_groups(x: Array, groups: int) -> list[Array]:
    return np.split(x, groups, axis=1)


def by_group(groups: int, x: Array, weight: Array, bias: Array | None) -> list[tuple[Any, ...]]:
    """The arrays of each group of channels."""
    biases = [None] * groups if bias is None else np.split(bias, groups)
    return list(zip(channel_groups(x, groups), np.split(weight, groups), biases, strict=True))
