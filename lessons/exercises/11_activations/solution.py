"""11. ReLU, leaky ReLU and ELU, with gradients: a solution."""

import numpy as np


def relu(x):
    """x where it is above zero, else 0."""
    return np.maximum(x, 0)


def relu_backward(grad, x):
    """The gradient with respect to x, from that with respect to relu(x)."""
    return np.where(x > 0, grad, 0)


def leaky_relu(x, slope):
    """x where it is above zero, else slope * x."""
    return np.where(x > 0, x, slope * x)


def leaky_relu_backward(grad, x, slope):
    """The gradient with respect to x, from that with respect to leaky_relu(x, slope)."""
    return np.where(x > 0, grad, slope * grad)


def elu(x, alpha):
    """x where it is above zero, else alpha * (exp(x) - 1)."""
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))


def elu_backward(grad, x, alpha):
    """The gradient with respect to x, from that with respect to elu(x, alpha)."""
    return np.where(x > 0, grad, grad * alpha * np.exp(np.minimum(x, 0)))
