import numpy as np


def relu(x):
    return (x + np.abs(x)) / 2


def relu_backward(grad, x):
    return grad * np.heaviside(x, 0).astype(x.dtype)


def leaky_relu(x, slope):
    return np.maximum(x, 0) + slope * np.minimum(x, 0)


def leaky_relu_backward(grad, x, slope):
    right = (x > 0).astype(grad.dtype)
    return grad * (right + slope * (1 - right))


def elu(x, alpha):
    return np.maximum(x, 0) + alpha * (np.exp(np.minimum(x, 0)) - 1)


def elu_backward(grad, x, alpha):
    y = elu(x, alpha)
    return grad * np.where(x > 0, 1, y + alpha)
