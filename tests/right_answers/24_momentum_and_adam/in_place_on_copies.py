import numpy as np


def momentum_step(w, grad, velocity, lr, momentum):
    w, velocity = np.array(w), np.array(velocity)
    velocity *= momentum
    velocity += grad
    w -= lr * velocity
    return w, velocity


def adam_step(w, grad, mean, square, step, lr, beta1, beta2, eps):
    w, mean, square = (np.array(x) for x in (w, mean, square))
    mean *= beta1
    mean += (1 - beta1) * grad
    square *= beta2
    square += (1 - beta2) * np.square(grad)
    below = np.sqrt(square)
    below /= np.sqrt(1 - beta2**step)
    below += eps
    w -= lr / (1 - beta1**step) * mean / below
    return [w, mean, square]
