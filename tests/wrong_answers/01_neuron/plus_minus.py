import numpy as np

TOLD = "not 1 and -1"


def neuron(x, w, b):
    return np.where(x @ w + b > 0, 1, -1).astype(x.dtype)
