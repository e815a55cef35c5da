import numpy as np

TOLD = "the gradient is as large as y"


def max_unpool(x, indices, size):
    y = np.zeros((*x.shape[:2], *size), dtype=x.dtype)
    for n, c, i, j in np.ndindex(x.shape):
        y[n, c, indices[n, c, i, j] // size[1], indices[n, c, i, j] % size[1]] = x[n, c, i, j]
    return y


def max_unpool_backward(grad, indices):
    mask = np.zeros(grad.shape, dtype=grad.dtype)
    for n, c, i, j in np.ndindex(indices.shape):
        mask[n, c].reshape(-1)[indices[n, c, i, j]] = 1
    return grad * mask
