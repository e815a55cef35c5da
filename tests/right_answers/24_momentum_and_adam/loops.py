import math

import numpy as np


def momentum_step(w, grad, velocity, lr, momentum):
    new_w, new_velocity = w.copy(), velocity.copy()
    for i in np.ndindex(w.shape):
        new_velocity[i] = momentum * velocity[i] + grad[i]
        new_w[i] = w[i] - lr * new_velocity[i]
    return new_w, new_velocity


def adam_step(w, grad, mean, square, step, lr, beta1, beta2, eps):
    new = w.copy(), mean.copy(), square.copy()
    for i in np.ndindex(w.shape):
        new[1][i] = mean[i] * beta1 + grad[i] * (1 - beta1)
        new[2][i] = square[i] * beta2 + grad[i] ** 2 * (1 - beta2)
        root = math.sqrt(new[2][i] / (1 - beta2**step))
        new[0][i] = w[i] - lr * new[1][i] / (1 - beta1**step) / (root + eps)
    return new
