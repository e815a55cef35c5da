"""Activation functions of several steps: one pass over memory, all threads."""

from __future__ import annotations

from math import pi, sqrt
from typing import Any

import numpy as np
from numba import prange

from tinyconv.kernels.cpu import vector_math
from tinyconv.kernels.cpu.flat import along, along_both, suits_alone
from tinyconv.kernels.cpu.options import inlined, parallel
from tinyconv.kernels.reference import fused_activation as reference

Array = Any

ZERO, ONE, THREE, SIX, HALF = map(np.float32, (0, 1, 3, 6, 0.5))
THIRD = np.float32(1 / 3)
DENSITY = np.float32(1 / sqrt(2 * pi))
TWICE_SLOPE, CUBE = np.float32(2 * reference.TANH_SLOPE), np.float32(reference.CUBE)


@inlined
def _clipped(x: float, low: float, high: float) -> float:
    x = low if x < low else x
    return high if x > high else x


def silu(x: Array) -> Array:
    """``x * sigmoid(x)``."""
    return along(_silu, x) if suits_alone(x) else reference.silu(x)


@parallel
def _silu(x: Array, y: Array) -> None:
    for i in prange(x.size):
        v = x[i]
        y[i] = v * vector_math.sigmoid(v)


def silu_backward(grad: Array, x: Array) -> Array:
    """`grad` times ``s * (1 + x * (1 - s))`` with s = sigmoid(x)."""
    if not suits_alone(grad, x):
        return reference.silu_backward(grad, x)
    return along_both(_silu_backward, grad, x)


@parallel
def _silu_backward(grad: Array, x: Array, result: Array) -> None:
    for i in prange(x.size):
        v = x[i]
        s = vector_math.sigmoid(v)
        result[i] = grad[i] * s * (ONE + v * (ONE - s))


def gelu(x: Array) -> Array:
    """x times the probability of a standard normal number below x."""
    return along(_gelu, x) if suits_alone(x) else reference.gelu(x)


@parallel
def _gelu(x: Array, y: Array) -> None:
    for i in prange(x.size):
        v = x[i]
        y[i] = v * vector_math.normal_cdf(v)


def gelu_backward(grad: Array, x: Array) -> Array:
    """`grad` times the probability plus x times its density."""
    if not suits_alone(grad, x):
        return reference.gelu_backward(grad, x)
    return along_both(_gelu_backward, grad, x)


@parallel
def _gelu_backward(grad: Array, x: Array, result: Array) -> None:
    for i in prange(x.size):
        v = x[i]
        density = DENSITY * vector_math.exp(-HALF * v * v)
        result[i] = grad[i] * (vector_math.normal_cdf(v) + v * density)


def gelu_tanh(x: Array) -> Array:
    """``x / 2 * (1 + tanh(u))``, computed as ``x * sigmoid(2 * u)``."""
    return along(_gelu_tanh, x) if suits_alone(x) else reference.gelu_tanh(x)


@parallel
def _gelu_tanh(x: Array, y: Array) -> None:
    for i in prange(x.size):
        v = x[i]
        y[i] = v * vector_math.sigmoid(TWICE_SLOPE * (v + CUBE * v * v * v))


def gelu_tanh_backward(grad: Array, x: Array) -> Array:
    """`grad` times ``s + x * s * (1 - s) * 2 * du/dx`` with s = sigmoid(2 u)."""
    if not suits_alone(grad, x):
        return reference.gelu_tanh_backward(grad, x)
    return along_both(_gelu_tanh_backward, grad, x)


@parallel
def _gelu_tanh_backward(grad: Array, x: Array, result: Array) -> None:
    for i in prange(x.size):
        v = x[i]
        s = vector_math.sigmoid(TWICE_SLOPE * (v + CUBE * v * v * v))
        slope = TWICE_SLOPE * (ONE + THREE * CUBE * v * v)
        result[i] = grad[i] * (s + v * s * (ONE - s) * slope)


def mish(x: Array) -> Array:
    """``x * tanh(log(1 + exp(x)))``."""
    return along(_mish, x) if suits_alone(x) else reference.mish(x)


@parallel
def _mish(x: Array, y: Array) -> None:
    for i in prange(x.size):
        v = x[i]
        y[i] = v * vector_math.tanh_softplus(v)


def mish_backward(grad: Array, x: Array) -> Array:
    """`grad` times ``t + x * sigmoid(x) * (1 - t**2)`` with t = tanh(log(1 + exp(x)))."""
    if not suits_alone(grad, x):
        return reference.mish_backward(grad, x)
    return along_both(_mish_backward, grad, x)


@parallel
def _mish_backward(grad: Array, x: Array, result: Array) -> None:
    for i in prange(x.size):
        v = x[i]
        t = vector_math.tanh_softplus(v)
        result[i] = grad[i] * (t + v * vector_math.sigmoid(v) * (ONE - t * t))


def logsigmoid(x: Array) -> Array:
    """``-log(1 + exp(-x))``."""
    return along(_logsigmoid, x) if suits_alone(x) else reference.logsigmoid(x)


@parallel
def _logsigmoid(x: Array, y: Array) -> None:
    for i in prange(x.size):
        v = x[i]
        y[i] = -vector_math.softplus(-v)


def logsigmoid_backward(grad: Array, x: Array) -> Array:
    """``grad * sigmoid(-x)``."""
    if not suits_alone(grad, x):
        return reference.logsigmoid_backward(grad, x)
    return along_both(_logsigmoid_backward, grad, x)


@parallel
def _logsigmoid_backward(grad: Array, x: Array, result: Array) -> None:
    for i in prange(x.size):
        v = x[i]
        result[i] = grad[i] * vector_math.sigmoid(-v)


def hardsigmoid(x: Array) -> Array:
    """``x / 6 + 1 / 2``, but at least 0 and at most 1."""
    return along(_hardsigmoid, x) if suits_alone(x) else reference.hardsigmoid(x)


@parallel
def _hardsigmoid(x: Array, y: Array) -> None:
    for i in prange(x.size):
        v = x[i]
        y[i] = _clipped(v + THREE, ZERO, SIX) / SIX


def hardsigmoid_backward(grad: Array, x: Array) -> Array:
    """``grad / 6`` where -3 < x < 3, else 0."""
    if not suits_alone(grad, x):
        return reference.hardsigmoid_backward(grad, x)
    return along_both(_hardsigmoid_backward, grad, x)


@parallel
def _hardsigmoid_backward(grad: Array, x: Array, result: Array) -> None:
    for i in prange(x.size):
        v = x[i]
        result[i] = ZERO if (v <= -THREE) | (v >= THREE) else grad[i] / SIX


def hardswish(x: Array) -> Array:
    """``x * hardsigmoid(x)``."""
    return along(_hardswish, x) if suits_alone(x) else reference.hardswish(x)


@parallel
def _hardswish(x: Array, y: Array) -> None:
    for i in prange(x.size):
        v = x[i]
        y[i] = v * _clipped(v + THREE, ZERO, SIX) / SIX


def hardswish_backward(grad: Array, x: Array) -> Array:
    """`grad` times 0 up to x = -3, 1 from x = 3 on, and ``x / 3 + 1 / 2`` between them."""
    if not suits_alone(grad, x):
        return reference.hardswish_backward(grad, x)
    return along_both(_hardswish_backward, grad, x)


@parallel
def _hardswish_backward(grad: Array, x: Array, result: Array) -> None:
    for i in prange(x.size):
        v = x[i]
        above = ONE if v >= THREE else v * THIRD + HALF
        result[i] = grad[i] * (ZERO if v <= -THREE else above)


def hardshrink(x: Array, lambd: float) -> Array:
    """x, but 0 where ``-lambd <= x <= lambd``."""
    return along(_hardshrink, x, lambd) if suits_alone(x) else reference.hardshrink(x, lambd)


@parallel
def _hardshrink(x: Array, y: Array, lambd: float) -> None:
    for i in prange(x.size):
        v = x[i]
        y[i] = ZERO if (v >= -lambd) & (v <= lambd) else v


def softshrink(x: Array, lambd: float) -> Array:
    """x moved towards 0 by `lambd`, but not past it."""
    return along(_softshrink, x, lambd) if suits_alone(x) else reference.softshrink(x, lambd)


@parallel
def _softshrink(x: Array, y: Array, lambd: float) -> None:
    for i in prange(x.size):
        v = x[i]
        y[i] = v - _clipped(v, -lambd, lambd)


def shrink_backward(grad: Array, x: Array, lambd: float) -> Array:
    """`grad`, but 0 where ``-lambd <= x <= lambd``: of hardshrink and of softshrink."""
    if not suits_alone(grad, x):
        return reference.shrink_backward(grad, x, lambd)
    return along_both(_shrink_backward, grad, x, lambd)


@parallel
def _shrink_backward(grad: Array, x: Array, result: Array, lambd: float) -> None:
    for i in prange(x.size):
        v = x[i]
        result[i] = ZERO if (v >= -lambd) & (v <= lambd) else grad[i]


def softsign(x: Array) -> Array:
    """``x / (1 + |x|)``."""
    return along(_softsign, x) if suits_alone(x) else reference.softsign(x)


@parallel
def _softsign(x: Array, y: Array) -> None:
    for i in prange(x.size):
        v = x[i]
        y[i] = v / (ONE + abs(v))


def softsign_backward(grad: Array, x: Array) -> Array:
    """``grad / (1 + |x|)**2``."""
    if not suits_alone(grad, x):
        return reference.softsign_backward(grad, x)
    return along_both(_softsign_backward, grad, x)


@parallel
def _softsign_backward(grad: Array, x: Array, result: Array) -> None:
    for i in prange(x.size):
        v = x[i]
        size = ONE + abs(v)
        result[i] = grad[i] / (size * size)


def tanhshrink(x: Array) -> Array:
    """``x - tanh(x)``."""
    return along(_tanhshrink, x) if suits_alone(x) else reference.tanhshrink(x)


@parallel
def _tanhshrink(x: Array, y: Array) -> None:
    for i in prange(x.size):
        v = x[i]
        y[i] = v - vector_math.tanh(v)


def tanhshrink_backward(grad: Array, x: Array) -> Array:
    """``grad * tanh(x)**2``."""
    if not suits_alone(grad, x):
        return reference.tanhshrink_backward(grad, x)
    return along_both(_tanhshrink_backward, grad, x)


@parallel
def _tanhshrink_backward(grad: Array, x: Array, result: Array) -> None:
    for i in prange(x.size):
        v = x[i]
        t = vector_math.tanh(v)
        result[i] = grad[i] * (t * t)
