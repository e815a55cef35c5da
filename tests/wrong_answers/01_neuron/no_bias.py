import numpy as np

TOLD = "the bias is not added"


def neuron(x, w, b):
    return (x @ w > 0).astype(x.dtype)
