import numpy as np


def relu(x):
    return np.clip(x, 0, None)


def relu_backward(grad, x):
    return np.select([x > 0], [grad], default=0).astype(grad.dtype)


def leaky_relu(x, slope):
    return np.select([x > 0, x <= 0], [x, x * slope])


def leaky_relu_backward(grad, x, slope):
    return np.select([x > 0, x <= 0], [grad, grad * slope])


def elu(x, alpha):
    with np.errstate(over="ignore"):
        return np.where(x > 0, x, alpha * (np.exp(x) - 1))


def elu_backward(grad, x, alpha):
    return np.where(x > 0, 1, np.exp(np.minimum(x, 0)) * alpha) * grad
