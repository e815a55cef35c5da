"""Activation functions and their derivatives, element by element.

Where the derivative can be had from the output, the backward takes the output ``y``, so
that the input need not be kept. `grad` is the gradient of the loss by ``y``; each backward
returns the gradient by ``x``. Large inputs saturate without overflow; NaN stays NaN.

At the kink x = 0 the derivative of relu is 0, of leaky_relu `negative_slope`, of elu
`alpha`: the left derivative, as in PyTorch. At both kinks of hardtanh it is 0.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np

from tinyconv.device import array_module
from tinyconv.kernels.reference.elementwise import quiet

Array = Any


def relu(x: Array) -> Array:
    """``max(0, x)`` (Nair and Hinton 2010)."""
    xp = array_module(x)
    return xp.asarray(xp.maximum(x, 0))


def relu_backward(grad: Array, y: Array) -> Array:
    """`grad` where y > 0, else 0."""
    xp = array_module(grad)
    return xp.where(y <= 0, grad.dtype.type(0), grad)


@quiet
def leaky_relu(x: Array, negative_slope: float) -> Array:
    """``x`` where x > 0, else ``negative_slope * x`` (Maas et al. 2013)."""
    xp = array_module(x)
    return xp.asarray(x * _slope(x, negative_slope))


@quiet
def leaky_relu_backward(grad: Array, x: Array, negative_slope: float) -> Array:
    """`grad` where x > 0, else ``negative_slope * grad``."""
    xp = array_module(grad)
    return xp.asarray(grad * _slope(x, negative_slope))


def _slope(x: Array, negative_slope: float) -> Array:
    return array_module(x).where(x > 0, x.dtype.type(1), x.dtype.type(negative_slope))


@quiet
def elu(x: Array, alpha: float) -> Array:
    """``x`` where x > 0, else ``alpha * (exp(x) - 1)`` (Clevert et al. 2016)."""
    xp = array_module(x)
    return xp.where(x > 0, x, x.dtype.type(alpha) * xp.expm1(xp.minimum(x, 0)))


@quiet
def elu_backward(grad: Array, y: Array, alpha: float) -> Array:
    """`grad` where y > 0, else ``grad * (y + alpha)``, which is ``grad * alpha * exp(x)``."""
    xp = array_module(grad)
    return xp.asarray(grad * xp.where(y > 0, y.dtype.type(1), y + y.dtype.type(alpha)))


@quiet
def scaled_elu(x: Array, alpha: float, scale: float, inner: float) -> Array:
    """``scale * x`` where x > 0, else ``scale * alpha * (exp(inner * x) - 1)``: selu and celu."""
    xp, number = array_module(x), x.dtype.type
    return xp.where(
        x > 0, number(scale) * x, number(scale * alpha) * xp.expm1(xp.minimum(x, 0) * number(inner))
    )


@quiet
def scaled_elu_backward(grad: Array, x: Array, alpha: float, scale: float, inner: float) -> Array:
    """`grad` times scale where x > 0, else times ``scale * alpha * inner * exp(inner * x)``."""
    xp, number = array_module(x), x.dtype.type
    below = number(scale * alpha * inner) * xp.exp(xp.minimum(x, 0) * number(inner))
    return xp.asarray(grad * xp.where(x > 0, number(scale), below))


def sigmoid(x: Array) -> Array:
    """``1 / (1 + exp(-x))``, written with ``exp(-|x|)`` so that it cannot overflow."""
    xp = array_module(x)
    z = xp.exp(-abs(x))
    return xp.where(x >= 0, 1 / (1 + z), z / (1 + z))


@quiet
def sigmoid_backward(grad: Array, y: Array) -> Array:
    """``grad * y * (1 - y)``."""
    return array_module(grad).asarray(grad * y * (1 - y))


def tanh(x: Array) -> Array:
    """Hyperbolic tangent."""
    xp = array_module(x)
    return xp.asarray(xp.tanh(x))


@quiet
def tanh_backward(grad: Array, y: Array) -> Array:
    """``grad * (1 - y**2)``."""
    return array_module(grad).asarray(grad * (1 - y * y))


def hardtanh(x: Array, min_val: float, max_val: float) -> Array:
    """x, but at least `min_val` and at most `max_val`."""
    xp = array_module(x)
    return xp.asarray(xp.minimum(xp.maximum(x, x.dtype.type(min_val)), x.dtype.type(max_val)))


def hardtanh_backward(grad: Array, x: Array, min_val: float, max_val: float) -> Array:
    """`grad` strictly between `min_val` and `max_val`, else 0."""
    xp = array_module(grad)
    return xp.where((x <= min_val) | (x >= max_val), grad.dtype.type(0), grad)


@quiet
def softplus(x: Array, beta: float, threshold: float) -> Array:
    """``log(1 + exp(beta * x)) / beta``, and x where ``beta * x > threshold`` (Dugas et al. 2001)."""
    xp = array_module(x)
    scaled = x * x.dtype.type(beta)
    smooth = (xp.maximum(scaled, 0) + xp.log1p(xp.exp(-abs(scaled)))) / x.dtype.type(beta)
    return xp.where(scaled > threshold, x, smooth)


@quiet
def softplus_backward(grad: Array, x: Array, beta: float, threshold: float) -> Array:
    """``grad * sigmoid(beta * x)``, and grad where ``beta * x > threshold``."""
    scaled = x * x.dtype.type(beta)
    return array_module(x).where(scaled > threshold, grad, grad * sigmoid(scaled))


@quiet
def normal_cdf(x: Array) -> Array:
    """The probability that a standard normal number is below x."""
    xp = array_module(x)
    special = import_module("scipy.special" if xp is np else "cupyx.scipy.special")
    return xp.asarray(special.ndtr(x))
