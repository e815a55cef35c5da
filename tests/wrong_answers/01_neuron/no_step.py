import numpy as np

TOLD = "the step is missing"


def neuron(x, w, b):
    return x @ w + x.dtype.type(b)
