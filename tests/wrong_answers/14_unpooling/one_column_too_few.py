import numpy as np

TOLD = "an index runs over the edge"
NOT_TOLD = "rows and columns are mixed up"


def max_unpool(x, indices, size):
    """Each number of x at its place in a larger image of zeros."""
    y = np.zeros((*x.shape[:2], *size), dtype=x.dtype)
    for n, c, i, j in np.ndindex(x.shape):
        row, column = divmod(indices[n, c, i, j], (size[1] - 1 or 1))
        y[n, c, row, column] = x[n, c, i, j]
    return y


def max_unpool_backward(grad, indices):
    """The gradient with respect to x."""
    result = np.zeros(indices.shape, dtype=grad.dtype)
    for n, c, i, j in np.ndindex(indices.shape):
        row, column = divmod(indices[n, c, i, j], grad.shape[3])
        result[n, c, i, j] = grad[n, c, row, column]
    return result
