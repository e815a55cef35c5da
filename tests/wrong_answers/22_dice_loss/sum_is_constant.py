import numpy as np

TOLD = "a second term"


def dice_loss(p, t, smooth):
    a = 2 * (p * t).sum(axis=(1, 2), keepdims=True) + smooth
    b = (p + t).sum(axis=(1, 2), keepdims=True) + smooth
    loss = (1 - a / b).mean()
    grad = -2 * t / b / len(p)
    return loss, grad
