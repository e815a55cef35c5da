import numpy as np

TOLD = "the overlap over the union"


def dice_loss(p, t, smooth):
    a = (p * t).sum(axis=(1, 2), keepdims=True) + smooth
    b = (p + t - p * t).sum(axis=(1, 2), keepdims=True) + smooth
    loss = (1 - a / b).mean()
    grad = -(t * b - a * (1 - t)) / b**2 / len(p)
    return loss, grad
