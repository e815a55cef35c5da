import numpy as np

TOLD = "nothing is returned"


def neuron(x, w, b):
    total = x @ w + b
