"""01. A neuron: a solution."""

import numpy as np


def neuron(x, w, b):
    """The answers of one neuron to a batch of inputs."""
    total = x @ w + b
    return np.where(total > 0, 1, 0).astype(x.dtype)
