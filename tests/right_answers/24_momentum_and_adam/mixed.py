import numpy as np


def mix(old, new, beta):
    return old + (1 - beta) * (new - old)


def momentum_step(w, grad, velocity, lr, momentum):
    step = -lr * grad - lr * momentum * velocity
    return w + step, step / -lr


def adam_step(w, grad, mean, square, step, lr, beta1, beta2, eps):
    mean, square = mix(mean, grad, beta1), mix(square, np.power(grad, 2), beta2)
    correct = [1 / (1 - np.power(beta, step)).astype(w.dtype) for beta in (beta1, beta2)]
    return w - lr * mean * correct[0] / ((square * correct[1]) ** 0.5 + eps), mean, square
