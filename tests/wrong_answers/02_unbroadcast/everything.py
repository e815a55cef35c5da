import numpy as np

TOLD = "does not add up"


def unbroadcast(grad, shape):
    return np.full(shape, grad.sum(), dtype=grad.dtype)
