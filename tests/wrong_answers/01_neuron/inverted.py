import numpy as np

TOLD = "the wrong way round"


def neuron(x, w, b):
    return np.where(x @ w + b > 0, 0, 1).astype(x.dtype)
