import numpy as np

TOLD = "p and t are squared below"


def dice_loss(p, t, smooth):
    a = 2 * (p * t).sum(axis=(1, 2), keepdims=True) + smooth
    b = (p**2 + t**2).sum(axis=(1, 2), keepdims=True) + smooth
    loss = (1 - a / b).mean()
    grad = -(2 * t * b - a * 2 * p) / b**2 / len(p)
    return loss, grad
