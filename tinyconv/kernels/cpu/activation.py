"""Activation functions and their derivatives: one pass over memory, all threads."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import prange

from tinyconv.kernels.cpu import _activations as one
from tinyconv.kernels.cpu import vector_math
from tinyconv.kernels.cpu.flat import along, along_both, suits_alone
from tinyconv.kernels.cpu.options import parallel
from tinyconv.kernels.reference import activation as reference

Array = Any

ZERO, ONE = np.float32(0), np.float32(1)


def relu(x: Array) -> Array:
    """``max(0, x)``; see `kernels.reference.activation`."""
    return along(_relu, x) if suits_alone(x) else reference.relu(x)


@parallel
def _relu(x: Array, y: Array) -> None:
    for i in prange(x.size):
        y[i] = one.relu(x[i])


def relu_backward(grad: Array, y: Array) -> Array:
    """`grad` where y > 0, else 0."""
    return along_both(_relu_backward, grad, y) if suits_alone(grad, y) else reference.relu_backward(grad, y)


@parallel
def _relu_backward(grad: Array, y: Array, result: Array) -> None:
    for i in prange(grad.size):
        result[i] = one.relu_backward(grad[i], y[i])


def leaky_relu(x: Array, negative_slope: float) -> Array:
    """``x`` where x > 0, else ``negative_slope * x``."""
    if not suits_alone(x):
        return reference.leaky_relu(x, negative_slope)
    return along(_leaky_relu, x, negative_slope)


@parallel
def _leaky_relu(x: Array, y: Array, slope: float) -> None:
    for i in prange(x.size):
        y[i] = one.leaky_relu(x[i], slope)


def leaky_relu_backward(grad: Array, x: Array, negative_slope: float) -> Array:
    """`grad` where x > 0, else ``negative_slope * grad``."""
    if not suits_alone(grad, x):
        return reference.leaky_relu_backward(grad, x, negative_slope)
    return along_both(_leaky_relu_backward, grad, x, negative_slope)


@parallel
def _leaky_relu_backward(grad: Array, x: Array, result: Array, slope: float) -> None:
    for i in prange(grad.size):
        result[i] = one.leaky_relu_backward(grad[i], x[i], slope)


def elu(x: Array, alpha: float) -> Array:
    """``x`` where x > 0, else ``alpha * (exp(x) - 1)``."""
    return along(_elu, x, alpha) if suits_alone(x) else reference.elu(x, alpha)


@parallel
def _elu(x: Array, y: Array, alpha: float) -> None:
    for i in prange(x.size):
        y[i] = one.elu(x[i], alpha)


def elu_backward(grad: Array, y: Array, alpha: float) -> Array:
    """`grad` where y > 0, else ``grad * (y + alpha)``."""
    if not suits_alone(grad, y):
        return reference.elu_backward(grad, y, alpha)
    return along_both(_elu_backward, grad, y, alpha)


@parallel
def _elu_backward(grad: Array, y: Array, result: Array, alpha: float) -> None:
    for i in prange(grad.size):
        result[i] = one.elu_backward(grad[i], y[i], alpha)


def scaled_elu(x: Array, alpha: float, scale: float, inner: float) -> Array:
    """``scale * x`` where x > 0, else ``scale * alpha * (exp(inner * x) - 1)``: selu and celu."""
    return (
        along(_scaled_elu, x, alpha, scale, inner)
        if suits_alone(x)
        else reference.scaled_elu(x, alpha, scale, inner)
    )


@parallel
def _scaled_elu(x: Array, y: Array, alpha: float, scale: float, inner: float) -> None:
    for i in prange(x.size):
        v = x[i]
        y[i] = scale * v if v > ZERO else scale * alpha * vector_math.expm1(inner * (ZERO if v > ZERO else v))


def scaled_elu_backward(grad: Array, x: Array, alpha: float, scale: float, inner: float) -> Array:
    """`grad` times scale where x > 0, else times ``scale * alpha * inner * exp(inner * x)``."""
    if not suits_alone(grad, x):
        return reference.scaled_elu_backward(grad, x, alpha, scale, inner)
    return along_both(_scaled_elu_backward, grad, x, alpha, scale, inner)


@parallel
def _scaled_elu_backward(
    grad: Array, x: Array, result: Array, alpha: float, scale: float, inner: float
) -> None:
    for i in prange(x.size):
        v = x[i]
        below = scale * alpha * inner * vector_math.exp(inner * (ZERO if v > ZERO else v))
        result[i] = grad[i] * (scale if v > ZERO else below)


def sigmoid(x: Array) -> Array:
    """``1 / (1 + exp(-x))``."""
    return along(_sigmoid, x) if suits_alone(x) else reference.sigmoid(x)


@parallel
def _sigmoid(x: Array, y: Array) -> None:
    for i in prange(x.size):
        y[i] = vector_math.sigmoid(x[i])


def sigmoid_backward(grad: Array, y: Array) -> Array:
    """``grad * y * (1 - y)``."""
    return (
        along_both(_sigmoid_backward, grad, y)
        if suits_alone(grad, y)
        else reference.sigmoid_backward(grad, y)
    )


@parallel
def _sigmoid_backward(grad: Array, y: Array, result: Array) -> None:
    for i in prange(grad.size):
        result[i] = one.sigmoid_backward(grad[i], y[i])


def tanh(x: Array) -> Array:
    """Hyperbolic tangent."""
    return along(_tanh, x) if suits_alone(x) else reference.tanh(x)


@parallel
def _tanh(x: Array, y: Array) -> None:
    for i in prange(x.size):
        y[i] = vector_math.tanh(x[i])


def tanh_backward(grad: Array, y: Array) -> Array:
    """``grad * (1 - y**2)``."""
    return along_both(_tanh_backward, grad, y) if suits_alone(grad, y) else reference.tanh_backward(grad, y)


@parallel
def _tanh_backward(grad: Array, y: Array, result: Array) -> None:
    for i in prange(grad.size):
        result[i] = one.tanh_backward(grad[i], y[i])


def hardtanh(x: Array, min_val: float, max_val: float) -> Array:
    """x, but at least `min_val` and at most `max_val`."""
    if not suits_alone(x):
        return reference.hardtanh(x, min_val, max_val)
    return along(_hardtanh, x, min_val, max_val)


@parallel
def _hardtanh(x: Array, y: Array, low: float, high: float) -> None:
    for i in prange(x.size):
        raised = low if x[i] < low else x[i]
        y[i] = high if raised > high else raised


def hardtanh_backward(grad: Array, x: Array, min_val: float, max_val: float) -> Array:
    """`grad` strictly between `min_val` and `max_val`, else 0."""
    if not suits_alone(grad, x):
        return reference.hardtanh_backward(grad, x, min_val, max_val)
    return along_both(_hardtanh_backward, grad, x, min_val, max_val)


@parallel
def _hardtanh_backward(grad: Array, x: Array, result: Array, low: float, high: float) -> None:
    for i in prange(x.size):
        result[i] = ZERO if (x[i] <= low) | (x[i] >= high) else grad[i]


def softplus(x: Array, beta: float, threshold: float) -> Array:
    """``log(1 + exp(beta * x)) / beta``, and x where ``beta * x > threshold``."""
    if not suits_alone(x):
        return reference.softplus(x, beta, threshold)
    return along(_softplus, x, beta, threshold)


@parallel
def _softplus(x: Array, y: Array, beta: float, threshold: float) -> None:
    for i in prange(x.size):
        scaled = beta * x[i]
        smooth = vector_math.softplus(scaled) / beta
        y[i] = x[i] if scaled > threshold else smooth


def softplus_backward(grad: Array, x: Array, beta: float, threshold: float) -> Array:
    """``grad * sigmoid(beta * x)``, and grad where ``beta * x > threshold``."""
    if not suits_alone(grad, x):
        return reference.softplus_backward(grad, x, beta, threshold)
    return along_both(_softplus_backward, grad, x, beta, threshold)


@parallel
def _softplus_backward(grad: Array, x: Array, result: Array, beta: float, threshold: float) -> None:
    for i in prange(x.size):
        scaled = beta * x[i]
        share = grad[i] * vector_math.sigmoid(scaled)
        result[i] = grad[i] if scaled > threshold else share


def normal_cdf(x: Array) -> Array:
    """The probability that a standard normal number is below x."""
    return along(_normal_cdf, x) if suits_alone(x) else reference.normal_cdf(x)


@parallel
def _normal_cdf(x: Array, y: Array) -> None:
    for i in prange(x.size):
        y[i] = vector_math.normal_cdf(x[i])
