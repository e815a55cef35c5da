import numpy as np


def parts(x, kernel_size, stride, padding):
    n, c, h, w = x.shape
    padded = np.full((n, c, h + 2 * padding, w + 2 * padding), -np.inf, dtype=x.dtype)
    padded[:, :, padding : padding + h, padding : padding + w] = x
    rows = (h + 2 * padding - kernel_size) // stride + 1
    columns = (w + 2 * padding - kernel_size) // stride + 1
    for a in range(kernel_size):
        for b in range(kernel_size):
            where = np.s_[
                :, :, a : a + stride * (rows - 1) + 1 : stride, b : b + stride * (columns - 1) + 1 : stride
            ]
            yield where, padded[where]


def max_pool(x, kernel_size, stride, padding):
    return np.max([part for _, part in parts(x, kernel_size, stride, padding)], axis=0)


def max_pool_backward(grad, x, kernel_size, stride, padding):
    h, w = x.shape[2:]
    largest = max_pool(x, kernel_size, stride, padding)
    waiting = np.ones(grad.shape, dtype=bool)
    result = np.zeros((*x.shape[:2], h + 2 * padding, w + 2 * padding), dtype=x.dtype)
    for where, part in parts(x, kernel_size, stride, padding):
        found = waiting & (part == largest)
        result[where] += np.where(found, grad, 0)
        waiting &= ~found
    return result[:, :, padding : padding + h, padding : padding + w]
