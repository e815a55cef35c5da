import numpy as np

TOLD = "this is D itself"


def dice_loss(p, t, smooth):
    a = 2 * (p * t).sum(axis=(1, 2), keepdims=True) + smooth
    b = (p + t).sum(axis=(1, 2), keepdims=True) + smooth
    loss = (a / b).mean()
    grad = (2 * t * b - a) / b**2 / len(p)
    return loss, grad
