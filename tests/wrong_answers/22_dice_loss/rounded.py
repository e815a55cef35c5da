import numpy as np

TOLD = "p is made 0 or 1 first"


def dice_loss(p, t, smooth):
    a = 2 * (p * t).sum(axis=(1, 2), keepdims=True) + smooth
    b = (p + t).sum(axis=(1, 2), keepdims=True) + smooth
    q = np.round(p)
    hard = 2 * (q * t).sum(axis=(1, 2), keepdims=True) + smooth
    loss = (1 - hard / ((q + t).sum(axis=(1, 2), keepdims=True) + smooth)).mean()
    grad = -(2 * t * b - a) / b**2 / len(p)
    return loss, grad
