"""Normalisation: subtract a mean, divide by a standard deviation.

Which elements share a mean decides the method: a channel's over the batch (Ioffe and Szegedy
2015), an image's over its features (Ba et al. 2016), a channel's of one image (Ulyanov et al.
2016), a group of channels of one image (Wu and He 2018). All of them are `normalize` with
other axes.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from tinyconv.device import array_module
from tinyconv.kernels.reference.elementwise import quiet

Array = Any


@quiet
def normalize(x: Array, axes: tuple[int, ...], eps: float) -> tuple[Array, Array, Array]:
    """``(x - mean) / sqrt(var + eps)``, with the mean and the (biased) variance over `axes`.

    Returns y, mean and variance; the last two keep `axes` with size 1. Sums are float64.
    """
    xp = array_module(x)
    count = prod(x.shape[axis] for axis in axes)
    mean = x.sum(axis=axes, keepdims=True, dtype=np.float64) / np.float64(count)
    centred = x - mean
    var = xp.square(centred).sum(axis=axes, keepdims=True) / np.float64(count)
    y = centred / xp.sqrt(var + eps)
    return tuple(xp.asarray(part).astype(x.dtype, copy=False) for part in (y, mean, var))


@quiet
def channel_window_sum(x: Array, before: int, after: int) -> Array:
    """y[:, c] = the sum of x[:, c - before] to x[:, c + after]; what lies outside counts as 0.

    Linear in x; the adjoint is the same with `before` and `after` exchanged.
    """
    channels = x.shape[1]
    y = x.copy("K")
    for shift in (*range(-before, 0), *range(1, after + 1)):
        if abs(shift) < channels:
            start, stop = max(0, -shift), channels - max(0, shift)
            y[:, start:stop] += x[:, start + shift : stop + shift]
    return y
