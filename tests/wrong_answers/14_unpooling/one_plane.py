import numpy as np

TOLD = "everything lands in the first channel of the first image"


def max_unpool(x, indices, size):
    y = np.zeros(x.shape[0] * x.shape[1] * size[0] * size[1], dtype=x.dtype)
    y[indices.ravel()] = x.ravel()
    return y.reshape(*x.shape[:2], *size)


def max_unpool_backward(grad, indices):
    result = np.zeros(indices.shape, dtype=grad.dtype)
    for n, c, i, j in np.ndindex(indices.shape):
        result[n, c, i, j] = grad[n, c].ravel()[indices[n, c, i, j]]
    return result
