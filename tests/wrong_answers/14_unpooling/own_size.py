import numpy as np

TOLD = "a size is worked out from that of x"


def max_unpool(x, indices, size):
    h, w = x.shape[2:]
    height, width = h * (size[0] // h), w * (size[1] // w)
    y = np.zeros((*x.shape[:2], height, width), dtype=x.dtype)
    for n, c, i, j in np.ndindex(x.shape):
        y[n, c, indices[n, c, i, j] // size[1], indices[n, c, i, j] % size[1]] = x[n, c, i, j]
    return y


def max_unpool_backward(grad, indices):
    result = np.zeros(indices.shape, dtype=grad.dtype)
    for n, c, i, j in np.ndindex(indices.shape):
        result[n, c, i, j] = grad[n, c].ravel()[indices[n, c, i, j]]
    return result
