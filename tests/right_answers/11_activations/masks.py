import numpy as np


def relu(x):
    return x * (x > 0)


def relu_backward(grad, x):
    return grad * (x > 0)


def leaky_relu(x, slope):
    y = x.copy()
    y[x < 0] *= slope
    return y


def leaky_relu_backward(grad, x, slope):
    y = grad.copy()
    y[x <= 0] *= slope
    return y


def elu(x, alpha):
    y = x.copy()
    y[x < 0] = alpha * (np.exp(x[x < 0]) - 1)
    return y


def elu_backward(grad, x, alpha):
    y = grad.copy()
    y[x <= 0] *= alpha * np.exp(x[x <= 0])
    return y
