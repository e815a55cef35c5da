import numpy as np


def max_unpool(x, indices, size):
    y = np.zeros((*x.shape[:2], *size), dtype=x.dtype)
    n, c = np.indices(x.shape, sparse=True)[:2]
    y[n, c, indices // size[1], indices % size[1]] = x
    return y


def max_unpool_backward(grad, indices):
    n, c = np.indices(indices.shape, sparse=True)[:2]
    return grad[n, c, indices // grad.shape[3], indices % grad.shape[3]]
