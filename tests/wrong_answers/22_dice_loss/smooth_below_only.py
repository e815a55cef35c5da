import numpy as np

TOLD = "smooth is missing above"


def dice_loss(p, t, smooth):
    a = 2 * (p * t).sum(axis=(1, 2), keepdims=True)
    b = (p + t).sum(axis=(1, 2), keepdims=True) + smooth
    loss = (1 - a / b).mean()
    grad = -(2 * t * b - a) / b**2 / len(p)
    return loss, grad
