import numpy as np


def one_image(p, t, smooth):
    total = np.sum(p) + np.sum(t) + smooth
    dice = (2 * np.dot(p, t) + smooth) / total
    return 1 - dice, np.where(t > 0, dice - 2, dice) / total


def dice_loss(p, t, smooth):
    pairs = [one_image(a.ravel(), b.ravel(), smooth) for a, b in zip(p, t, strict=True)]
    losses, grads = zip(*pairs, strict=True)
    return np.mean(losses), (np.stack(grads) / len(pairs)).reshape(p.shape)
