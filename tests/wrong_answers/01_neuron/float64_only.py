import numpy as np

TOLD = "the dtype is lost"


def neuron(x, w, b):
    return np.where(x @ w + b > 0, 1.0, 0.0)
