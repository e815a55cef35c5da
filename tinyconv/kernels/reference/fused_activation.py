"""Activation functions of several steps, each with its derivative, in one pass over memory.

Each backward returns the gradient by x, from `grad`, that by y, and from x. At a kink the derivative is
PyTorch's. NaN stays NaN.
"""

from __future__ import annotations

from math import pi, sqrt
from typing import Any

import numpy as np

from tinyconv.device import array_module
from tinyconv.kernels.reference.activation import normal_cdf, sigmoid, softplus
from tinyconv.kernels.reference.elementwise import quiet

Array = Any

TANH_SLOPE, CUBE = sqrt(2 / pi), 0.044715
"""In gelu_tanh: ``tanh(TANH_SLOPE * (x + CUBE * x**3))``."""


@quiet
def silu(x: Array) -> Array:
    """``x * sigmoid(x)`` (Elfwing et al. 2017)."""
    return array_module(x).asarray(x * sigmoid(x))


@quiet
def silu_backward(grad: Array, x: Array) -> Array:
    """`grad` times ``s * (1 + x * (1 - s))`` with s = sigmoid(x)."""
    s = sigmoid(x)
    return array_module(x).asarray(grad * (s * (1 + x * (1 - s))))


@quiet
def gelu(x: Array) -> Array:
    """x times the probability of a standard normal number below x (Hendrycks and Gimpel 2016)."""
    return array_module(x).asarray(x * normal_cdf(x))


@quiet
def gelu_backward(grad: Array, x: Array) -> Array:
    """`grad` times the probability plus x times its density."""
    xp = array_module(x)
    density = xp.exp(x * x * x.dtype.type(-0.5)) / x.dtype.type(sqrt(2 * pi))
    return xp.asarray(grad * (normal_cdf(x) + x * density))


@quiet
def gelu_tanh(x: Array) -> Array:
    """``x / 2 * (1 + tanh(u))``, near to gelu, with ``u = sqrt(2 / pi) * (x + 0.044715 * x**3)``."""
    xp, number = array_module(x), x.dtype.type
    t = xp.tanh(number(TANH_SLOPE) * (x + number(CUBE) * x * x * x))
    return xp.asarray(number(0.5) * x * (1 + t))


@quiet
def gelu_tanh_backward(grad: Array, x: Array) -> Array:
    """`grad` times ``(1 + t + x * (1 - t**2) * du/dx) / 2`` with t = tanh(u)."""
    xp, number = array_module(x), x.dtype.type
    t = xp.tanh(number(TANH_SLOPE) * (x + number(CUBE) * x * x * x))
    slope = number(TANH_SLOPE) * (1 + number(3 * CUBE) * x * x)
    return xp.asarray(grad * (number(0.5) * (1 + t + x * (1 - t * t) * slope)))


@quiet
def mish(x: Array) -> Array:
    """``x * tanh(log(1 + exp(x)))`` (Misra 2019)."""
    xp = array_module(x)
    return xp.asarray(x * xp.tanh(softplus(x, 1.0, np.inf)))


@quiet
def mish_backward(grad: Array, x: Array) -> Array:
    """`grad` times ``t + x * sigmoid(x) * (1 - t**2)`` with t = tanh(log(1 + exp(x)))."""
    xp = array_module(x)
    t = xp.tanh(softplus(x, 1.0, np.inf))
    return xp.asarray(grad * (t + x * sigmoid(x) * (1 - t * t)))


@quiet
def logsigmoid(x: Array) -> Array:
    """``-log(1 + exp(-x))``."""
    return array_module(x).asarray(-softplus(-x, 1.0, np.inf))


@quiet
def logsigmoid_backward(grad: Array, x: Array) -> Array:
    """``grad * sigmoid(-x)``."""
    return array_module(x).asarray(grad * sigmoid(-x))


@quiet
def hardsigmoid(x: Array) -> Array:
    """``x / 6 + 1 / 2``, but at least 0 and at most 1 (Courbariaux et al. 2015)."""
    xp = array_module(x)
    return xp.asarray(xp.minimum(xp.maximum(x + 3, 0), 6) / 6)


def hardsigmoid_backward(grad: Array, x: Array) -> Array:
    """``grad / 6`` where -3 < x < 3, else 0."""
    return array_module(x).where((x <= -3) | (x >= 3), grad.dtype.type(0), grad / 6)


@quiet
def hardswish(x: Array) -> Array:
    """``x * hardsigmoid(x)`` (Howard et al. 2019)."""
    xp = array_module(x)
    return xp.asarray(x * xp.minimum(xp.maximum(x + 3, 0), 6) / 6)


@quiet
def hardswish_backward(grad: Array, x: Array) -> Array:
    """`grad` times 0 up to x = -3, 1 from x = 3 on, and ``x / 3 + 1 / 2`` between them."""
    xp, number = array_module(x), x.dtype.type
    slope = xp.where(x <= -3, number(0), xp.where(x >= 3, number(1), x / 3 + number(0.5)))
    return xp.asarray(grad * slope)


def hardshrink(x: Array, lambd: float) -> Array:
    """x, but 0 where ``-lambd <= x <= lambd``."""
    width = x.dtype.type(lambd)
    return array_module(x).where((x >= -width) & (x <= width), x.dtype.type(0), x)


@quiet
def softshrink(x: Array, lambd: float) -> Array:
    """x moved towards 0 by `lambd`, but not past it."""
    xp, width = array_module(x), x.dtype.type(lambd)
    return xp.asarray(x - xp.minimum(xp.maximum(x, -width), width))


def shrink_backward(grad: Array, x: Array, lambd: float) -> Array:
    """`grad`, but 0 where ``-lambd <= x <= lambd``: of hardshrink and of softshrink."""
    width = x.dtype.type(lambd)
    return array_module(x).where((x >= -width) & (x <= width), grad.dtype.type(0), grad)


@quiet
def softsign(x: Array) -> Array:
    """``x / (1 + |x|)`` (Turian et al. 2009)."""
    return array_module(x).asarray(x / (1 + abs(x)))


@quiet
def softsign_backward(grad: Array, x: Array) -> Array:
    """``grad / (1 + |x|)**2``."""
    size = 1 + abs(x)
    return array_module(x).asarray(grad / (size * size))


@quiet
def tanhshrink(x: Array) -> Array:
    """``x - tanh(x)``."""
    xp = array_module(x)
    return xp.asarray(x - xp.tanh(x))


@quiet
def tanhshrink_backward(grad: Array, x: Array) -> Array:
    """``grad * tanh(x)**2``."""
    xp = array_module(x)
    return xp.asarray(grad * xp.square(xp.tanh(x)))
