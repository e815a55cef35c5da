import numpy as np

TOLD = "rows and columns are mixed up"


def max_unpool(x, indices, size):
    y = np.zeros((*x.shape[:2], *size), dtype=x.dtype)
    for n, c, i, j in np.ndindex(x.shape):
        y[n, c, indices[n, c, i, j] // size[0], indices[n, c, i, j] % size[0]] = x[n, c, i, j]
    return y


def max_unpool_backward(grad, indices):
    result = np.zeros(indices.shape, dtype=grad.dtype)
    for n, c, i, j in np.ndindex(indices.shape):
        result[n, c, i, j] = grad[n, c].ravel()[indices[n, c, i, j]]
    return result
