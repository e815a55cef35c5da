import numpy as np

TOLD = "modifies its input in place"


def neuron(x, w, b):
    x *= w
    return (x.sum(axis=1) + b > 0).astype(x.dtype)
