import numpy as np

TOLD = "the gradient of the whole window is added up"


def max_unpool(x, indices, size):
    y = np.zeros((*x.shape[:2], *size), dtype=x.dtype)
    for n, c, i, j in np.ndindex(x.shape):
        y[n, c, indices[n, c, i, j] // size[1], indices[n, c, i, j] % size[1]] = x[n, c, i, j]
    return y


def max_unpool_backward(grad, indices):
    result = np.zeros(indices.shape, dtype=grad.dtype)
    for n, c, i, j in np.ndindex(indices.shape):
        down, right = grad.shape[2] // indices.shape[2], grad.shape[3] // indices.shape[3]
        window = grad[n, c, i * down : (i + 1) * down, j * right : (j + 1) * right]
        result[n, c, i, j] = window.sum()
    return result
