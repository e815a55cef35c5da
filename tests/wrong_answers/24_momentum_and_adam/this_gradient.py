import numpy as np

TOLD = "along the corrected average"


def momentum_step(w, grad, velocity, lr, momentum):
    v = momentum * velocity + grad
    return w - lr * v, v


def adam_step(w, grad, mean, square, step, lr, beta1, beta2, eps):
    mean = beta1 * mean + (1 - beta1) * grad
    square = beta2 * square + (1 - beta2) * grad * grad
    m = mean / (1 - beta1**step)
    s = square / (1 - beta2**step)
    return w - lr * grad / (np.sqrt(s) + eps), mean, square
