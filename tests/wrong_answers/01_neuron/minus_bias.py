import numpy as np

TOLD = "the bias is subtracted"


def neuron(x, w, b):
    return (x @ w - b > 0).astype(x.dtype)
