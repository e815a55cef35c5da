import math

import numpy as np


def each(function, *arrays):
    y = np.zeros_like(arrays[0])
    for index in np.ndindex(y.shape):
        y[index] = function(*[float(array[index]) for array in arrays])
    return y


def relu(x):
    return each(lambda v: max(v, 0.0), x)


def relu_backward(grad, x):
    return each(lambda g, v: g if v > 0 else 0.0, grad, x)


def leaky_relu(x, slope):
    return each(lambda v: v if v > 0 else slope * v, x)


def leaky_relu_backward(grad, x, slope):
    return each(lambda g, v: g if v > 0 else slope * g, grad, x)


def elu(x, alpha):
    return each(lambda v: v if v > 0 else alpha * math.expm1(v), x)


def elu_backward(grad, x, alpha):
    return each(lambda g, v: g if v > 0 else g * alpha * math.exp(v), grad, x)
