import numpy as np

TOLD = "the answers are True and False"


def neuron(x, w, b):
    return x @ w + b > 0
