import numpy as np

TOLD = "each number fills its whole window"


def max_unpool(x, indices, size):
    down, right = size[0] // x.shape[2], size[1] // x.shape[3]
    return x.repeat(down, axis=2).repeat(right, axis=3)


def max_unpool_backward(grad, indices):
    result = np.zeros(indices.shape, dtype=grad.dtype)
    for n, c, i, j in np.ndindex(indices.shape):
        result[n, c, i, j] = grad[n, c].ravel()[indices[n, c, i, j]]
    return result
