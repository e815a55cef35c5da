"""24. A step with momentum, and a step of Adam: a solution."""

import numpy as np


def momentum_step(w, grad, velocity, lr, momentum):
    """One step with momentum."""
    velocity = momentum * velocity + grad
    return w - lr * velocity, velocity


def adam_step(w, grad, mean, square, step, lr, beta1, beta2, eps):
    """One step of Adam."""
    mean = beta1 * mean + (1 - beta1) * grad
    square = beta2 * square + (1 - beta2) * grad**2
    m, s = mean / (1 - beta1**step), square / (1 - beta2**step)
    return w - lr * m / (np.sqrt(s) + eps), mean, square
