import numpy as np

TOLD = "here it is added in full"


def momentum_step(w, grad, velocity, lr, momentum):
    v = momentum * velocity + grad
    return w - lr * v, v


def adam_step(w, grad, mean, square, step, lr, beta1, beta2, eps):
    mean = beta1 * mean + grad
    square = beta2 * square + grad * grad
    m = mean / (1 - beta1**step)
    s = square / (1 - beta2**step)
    return w - lr * m / (np.sqrt(s) + eps), mean, square
