import numpy as np


def dice_loss(p, t, smooth):
    loss, grad = 0.0, np.zeros_like(p)
    for n in range(len(p)):
        overlap = size = 0.0
        for i in range(p.shape[1]):
            for j in range(p.shape[2]):
                overlap += p[n, i, j] * t[n, i, j]
                size += p[n, i, j] + t[n, i, j]
        dice = (2 * overlap + smooth) / (size + smooth)
        loss += (1 - dice) / len(p)
        for i in range(p.shape[1]):
            for j in range(p.shape[2]):
                grad[n, i, j] = (dice - 2 * t[n, i, j]) / (size + smooth) / len(p)
    return loss, grad
