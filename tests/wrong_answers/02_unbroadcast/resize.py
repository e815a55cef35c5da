import numpy as np

TOLD = "does not add up"


def unbroadcast(grad, shape):
    return np.resize(grad, shape).astype(grad.dtype)
