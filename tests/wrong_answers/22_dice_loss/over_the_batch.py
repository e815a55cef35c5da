import numpy as np

TOLD = "each image has its own D"


def dice_loss(p, t, smooth):
    a = 2 * (p * t).sum() + smooth
    b = (p + t).sum() + smooth
    loss = (1 - a / b).mean()
    grad = -(2 * t * b - a) / b**2
    return loss, grad
