import numpy as np


def dice_loss(p, t, smooth):
    above = 2 * np.einsum("nhw,nhw->n", p, t) + smooth
    below = np.einsum("nhw->n", p) + np.einsum("nhw->n", t) + smooth
    slope_of_above, slope_of_below = -1 / below, above / below**2
    grad = np.einsum("nhw,n->nhw", 2 * t, slope_of_above) + slope_of_below[:, None, None]
    return 1 - np.mean(above / below), grad / p.shape[0]
