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
def normalize_backward(
    grad: Array, grad_mean: Array, grad_var: Array, y: Array, var: Array, axes: tuple[int, ...], eps: float
) -> Array:
    """The gradient of x in `normalize`, from those of y, mean and variance.

    With n elements that share a mean and s = sqrt(var + eps)::

        dx = (grad - (sum grad - s grad_mean) / n - y (sum(grad y) - 2 s^2 grad_var) / n) / s
    """
    xp = array_module(y)
    count = max(prod(y.shape[axis] for axis in axes), 1)
    square = var + var.dtype.type(eps)
    deviation = xp.sqrt(square)
    total, product = (g.sum(axis=axes, keepdims=True, dtype=np.float64) for g in (grad, grad * y))
    offset = ((total - deviation * grad_mean) / count).astype(y.dtype)
    slope = ((product - 2 * square * grad_var) / count).astype(y.dtype)
    return xp.asarray((grad - offset - y * slope) / deviation)


@quiet
def batch_norm(x: Array, weight: Array | None, bias: Array | None, eps: float) -> tuple[Array, Array, Array]:
    """Each channel of x (N, C, *spatial) normalised over the batch, times weight, plus bias.

    Returns y, and the mean and the (biased) variance of each channel, (C,).
    """
    y, mean, var = normalize(x, (0, *range(2, x.ndim)), eps)
    if weight is not None:
        y = y * per_channel(weight, x.ndim)
    if bias is not None:
        y = y + per_channel(bias, x.ndim)
    return y, mean.reshape(-1), var.reshape(-1)


@quiet
def batch_norm_backward(
    grad: Array, x: Array, weight: Array | None, mean: Array, var: Array, eps: float
) -> tuple[Array, Array, Array]:
    """The gradients of x, weight and bias, from that of `batch_norm`'s y and from its statistics.

    With n elements a channel, s = sqrt(var + eps) and z = (x - mean) / s::

        dweight = sum grad z        dbias = sum grad        dx = weight / s (grad - dbias / n - z dweight / n)
    """
    xp = array_module(x)
    dims = (0, *range(2, x.ndim))
    count = max(prod(x.shape[d] for d in dims), 1)
    deviation = per_channel(xp.sqrt(var + x.dtype.type(eps)), x.ndim)
    z = (x - per_channel(mean, x.ndim)) / deviation
    grad_weight, grad_bias = ((g.sum(axis=dims, dtype=np.float64)).astype(x.dtype) for g in (grad * z, grad))
    centred = grad - per_channel(grad_bias / count, x.ndim) - z * per_channel(grad_weight / count, x.ndim)
    factor = 1 if weight is None else per_channel(weight, x.ndim)
    return centred * factor / deviation, grad_weight, grad_bias


@quiet
def channel_affine(x: Array, scale: Array, shift: Array) -> Array:
    """Each channel of x (N, C, *spatial) times its number of `scale`, plus that of `shift`, (C,)."""
    return x * per_channel(scale, x.ndim) + per_channel(shift, x.ndim)


def per_channel(vector: Array, ndim: int) -> Array:
    """A vector (C,) as (C, 1, …), to be broadcast over arrays (N, C, *spatial)."""
    return vector.reshape((-1, *(1,) * (ndim - 2)))


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
