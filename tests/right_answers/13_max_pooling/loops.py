import numpy as np


def max_pool(x, kernel_size, stride, padding):
    return each_window(x, kernel_size, stride, padding)[0]


def each_window(x, kernel_size, stride, padding):
    count, channels, height, width = x.shape
    rows = (height + 2 * padding - kernel_size) // stride + 1
    columns = (width + 2 * padding - kernel_size) // stride + 1
    y = np.zeros((count, channels, rows, columns), x.dtype)
    where = {}
    for n, c, i, j in np.ndindex(y.shape):
        best = None
        for h in range(i * stride - padding, i * stride - padding + kernel_size):
            for w in range(j * stride - padding, j * stride - padding + kernel_size):
                inside = 0 <= h < height and 0 <= w < width
                if inside and (best is None or x[n, c, h, w] > best):
                    best = x[n, c, h, w]
                    where[n, c, i, j] = n, c, h, w
        y[n, c, i, j] = best
    return y, where


def max_pool_backward(grad, x, kernel_size, stride, padding):
    result = np.zeros_like(x)
    for output, place in each_window(x, kernel_size, stride, padding)[1].items():
        result[place] += grad[output]
    return result
