import numpy as np

TOLD = "right except where the sum is exactly zero"


def neuron(x, w, b):
    return np.where(x @ w + b >= 0, 1, 0).astype(x.dtype)
