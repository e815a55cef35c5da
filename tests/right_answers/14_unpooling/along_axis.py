import numpy as np


def max_unpool(x, indices, size):
    n, c, h, w = x.shape
    flat = np.zeros((n, c, size[0] * size[1]), x.dtype)
    np.put_along_axis(flat, indices.reshape(n, c, h * w), x.reshape(n, c, h * w), axis=2)
    return flat.reshape(n, c, *size)


def max_unpool_backward(grad, indices):
    n, c, h, w = indices.shape
    flat = grad.reshape(n, c, grad.shape[2] * grad.shape[3])
    return np.take_along_axis(flat, indices.reshape(n, c, h * w), axis=2).reshape(indices.shape)
