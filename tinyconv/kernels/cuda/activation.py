"""Launches the kernels of `activation.cu`, twins of `kernels/reference/activation.py`."""

from __future__ import annotations

from typing import Any

from tinyconv.kernels.cuda._launch import C_TYPES, map_elements
from tinyconv.kernels.reference import activation as reference

Array = Any

ACTIVATIONS = ("nothing", "relu", "leaky_relu", "elu", "sigmoid", "tanh")
"""Those that other kernels apply on their way; the places are those of `enum Activation` in formulas.cuh."""


def relu(x: Array) -> Array:
    """``max(0, x)``."""
    return _launch("relu", (x,))


def relu_backward(grad: Array, y: Array) -> Array:
    """`grad` where y > 0, else 0."""
    return _launch("relu_backward", (grad, y))


def leaky_relu(x: Array, negative_slope: float) -> Array:
    """``x`` where x > 0, else ``negative_slope * x``."""
    return _launch("leaky_relu", (x,), negative_slope)


def leaky_relu_backward(grad: Array, x: Array, negative_slope: float) -> Array:
    """`grad` where x > 0, else ``negative_slope * grad``."""
    return _launch("leaky_relu_backward", (grad, x), negative_slope)


def elu(x: Array, alpha: float) -> Array:
    """``x`` where x > 0, else ``alpha * (exp(x) - 1)``."""
    return _launch("elu", (x,), alpha)


def elu_backward(grad: Array, y: Array, alpha: float) -> Array:
    """`grad` where y > 0, else ``grad * (y + alpha)``."""
    return _launch("elu_backward", (grad, y), alpha)


def scaled_elu(x: Array, alpha: float, scale: float, inner: float) -> Array:
    """``scale * x`` where x > 0, else ``scale * alpha * (exp(inner * x) - 1)``."""
    return _launch("scaled_elu", (x,), alpha, scale, inner)


def scaled_elu_backward(grad: Array, x: Array, alpha: float, scale: float, inner: float) -> Array:
    """`grad` times scale where x > 0, else times ``scale * alpha * inner * exp(inner * x)``."""
    return _launch("scaled_elu_backward", (grad, x), alpha, scale, inner)


def sigmoid(x: Array) -> Array:
    """``1 / (1 + exp(-x))``."""
    return _launch("sigmoid", (x,))


def sigmoid_backward(grad: Array, y: Array) -> Array:
    """``grad * y * (1 - y)``."""
    return _launch("sigmoid_backward", (grad, y))


def tanh(x: Array) -> Array:
    """Hyperbolic tangent."""
    return _launch("tanh", (x,))


def tanh_backward(grad: Array, y: Array) -> Array:
    """``grad * (1 - y * y)``."""
    return _launch("tanh_backward", (grad, y))


def hardtanh(x: Array, min_val: float, max_val: float) -> Array:
    """x, but at least `min_val` and at most `max_val`."""
    return _launch("hardtanh", (x,), min_val, max_val)


def hardtanh_backward(grad: Array, x: Array, min_val: float, max_val: float) -> Array:
    """`grad` strictly between `min_val` and `max_val`, else 0."""
    return _launch("hardtanh_backward", (grad, x), min_val, max_val)


def softplus(x: Array, beta: float, threshold: float) -> Array:
    """``log(1 + exp(beta * x)) / beta``, and x where ``beta * x > threshold``."""
    return _launch("softplus", (x,), beta, threshold)


def softplus_backward(grad: Array, x: Array, beta: float, threshold: float) -> Array:
    """``grad * sigmoid(beta * x)``, and grad where ``beta * x > threshold``."""
    return _launch("softplus_backward", (grad, x), beta, threshold)


def normal_cdf(x: Array) -> Array:
    """The probability that a standard normal number is below x."""
    return _launch("normal_cdf", (x,))


def _launch(name: str, inputs: tuple[Array, ...], *parameters: float) -> Array:
    if str(inputs[0].dtype) not in C_TYPES:
        return getattr(reference, name)(*inputs, *parameters)
    # CUDA's own tanh stands in the way of a kernel of that name.
    return map_elements("activation.cu", "tanh_forward" if name == "tanh" else name, inputs, parameters)
