import numpy as np


def im2col(x, kernel_size, stride, padding):
    n, c, h, w = x.shape
    kh, kw = kernel_size
    rows, columns = (h + 2 * padding - kh) // stride + 1, (w + 2 * padding - kw) // stride + 1
    room = np.zeros((n, c, h + 2 * padding, w + 2 * padding), x.dtype)
    room[:, :, padding : padding + h, padding : padding + w] = x
    y = np.empty((n, c, kh, kw, rows, columns), x.dtype)
    for a in range(kh):
        for b in range(kw):
            y[:, :, a, b] = room[
                :, :, a : a + stride * (rows - 1) + 1 : stride, b : b + stride * (columns - 1) + 1 : stride
            ]
    return y.reshape(n, c * kh * kw, rows * columns)
