"""Activation functions and their derivatives: one pass over memory, all threads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import prange

from tinyconv.kernels.cpu import vector_math
from tinyconv.kernels.cpu.flat import dense, flat, ordered_like, suits_alone
from tinyconv.kernels.cpu.options import parallel
from tinyconv.kernels.cpu.threads import use_threads
from tinyconv.kernels.reference import activation as reference

Array = Any

ZERO, ONE = np.float32(0), np.float32(1)


WORK = 8
"""Multiply-adds that take as long as one element."""


def _forward(kernel: Callable[..., None], x: Array, *numbers: float) -> Array:
    use_threads(WORK * x.size)
    x = dense(x)
    y = np.empty_like(x)
    kernel(flat(x), flat(y), *map(np.float32, numbers))
    return y


def _backward(kernel: Callable[..., None], grad: Array, at: Array, *numbers: float) -> Array:
    use_threads(WORK * at.size)
    at = dense(at)
    grad = ordered_like(grad, at)
    result = np.empty_like(at)
    kernel(flat(grad), flat(at), flat(result), *map(np.float32, numbers))
    return result


def relu(x: Array) -> Array:
    """``max(0, x)``; see `kernels.reference.activation`."""
    return _forward(_relu, x) if suits_alone(x) else reference.relu(x)


@parallel
def _relu(x: Array, y: Array) -> None:
    for i in prange(x.size):
        y[i] = ZERO if x[i] <= ZERO else x[i]


def relu_backward(grad: Array, y: Array) -> Array:
    """`grad` where y > 0, else 0."""
    return _backward(_relu_backward, grad, y) if suits_alone(grad, y) else reference.relu_backward(grad, y)


@parallel
def _relu_backward(grad: Array, y: Array, result: Array) -> None:
    for i in prange(grad.size):
        result[i] = ZERO if y[i] <= ZERO else grad[i]


def leaky_relu(x: Array, negative_slope: float) -> Array:
    """``x`` where x > 0, else ``negative_slope * x``."""
    if not suits_alone(x):
        return reference.leaky_relu(x, negative_slope)
    return _forward(_leaky_relu, x, negative_slope)


@parallel
def _leaky_relu(x: Array, y: Array, slope: float) -> None:
    for i in prange(x.size):
        y[i] = x[i] * (ONE if x[i] > ZERO else slope)


def leaky_relu_backward(grad: Array, x: Array, negative_slope: float) -> Array:
    """`grad` where x > 0, else ``negative_slope * grad``."""
    if not suits_alone(grad, x):
        return reference.leaky_relu_backward(grad, x, negative_slope)
    return _backward(_leaky_relu_backward, grad, x, negative_slope)


@parallel
def _leaky_relu_backward(grad: Array, x: Array, result: Array, slope: float) -> None:
    for i in prange(grad.size):
        result[i] = grad[i] * (ONE if x[i] > ZERO else slope)


def elu(x: Array, alpha: float) -> Array:
    """``x`` where x > 0, else ``alpha * (exp(x) - 1)``."""
    return _forward(_elu, x, alpha) if suits_alone(x) else reference.elu(x, alpha)


@parallel
def _elu(x: Array, y: Array, alpha: float) -> None:
    for i in prange(x.size):
        negative = ZERO if x[i] > ZERO else x[i]
        y[i] = x[i] if x[i] > ZERO else alpha * vector_math.expm1(negative)


def elu_backward(grad: Array, y: Array, alpha: float) -> Array:
    """`grad` where y > 0, else ``grad * (y + alpha)``."""
    if not suits_alone(grad, y):
        return reference.elu_backward(grad, y, alpha)
    return _backward(_elu_backward, grad, y, alpha)


@parallel
def _elu_backward(grad: Array, y: Array, result: Array, alpha: float) -> None:
    for i in prange(grad.size):
        result[i] = grad[i] * (ONE if y[i] > ZERO else y[i] + alpha)


def sigmoid(x: Array) -> Array:
    """``1 / (1 + exp(-x))``."""
    return _forward(_sigmoid, x) if suits_alone(x) else reference.sigmoid(x)


@parallel
def _sigmoid(x: Array, y: Array) -> None:
    for i in prange(x.size):
        y[i] = vector_math.sigmoid(x[i])


def sigmoid_backward(grad: Array, y: Array) -> Array:
    """``grad * y * (1 - y)``."""
    return (
        _backward(_sigmoid_backward, grad, y) if suits_alone(grad, y) else reference.sigmoid_backward(grad, y)
    )


@parallel
def _sigmoid_backward(grad: Array, y: Array, result: Array) -> None:
    for i in prange(grad.size):
        result[i] = grad[i] * y[i] * (ONE - y[i])


def tanh(x: Array) -> Array:
    """Hyperbolic tangent."""
    return _forward(_tanh, x) if suits_alone(x) else reference.tanh(x)


@parallel
def _tanh(x: Array, y: Array) -> None:
    for i in prange(x.size):
        y[i] = vector_math.tanh(x[i])


def tanh_backward(grad: Array, y: Array) -> Array:
    """``grad * (1 - y**2)``."""
    return _backward(_tanh_backward, grad, y) if suits_alone(grad, y) else reference.tanh_backward(grad, y)


@parallel
def _tanh_backward(grad: Array, y: Array, result: Array) -> None:
    for i in prange(grad.size):
        result[i] = grad[i] * (ONE - y[i] * y[i])
