import numpy as np


def col2im(columns, size, kernel_size, stride, padding):
    (h, w), (kh, kw) = size, kernel_size
    rows, places = (h + 2 * padding - kh) // stride + 1, (w + 2 * padding - kw) // stride + 1
    n, c = columns.shape[0], columns.shape[1] // (kh * kw)
    parts = columns.reshape(n, c, kh, kw, rows, places)
    y = np.zeros((n, c, h + 2 * padding, w + 2 * padding), columns.dtype)
    for a in range(kh):
        for b in range(kw):
            bottom, right = a + stride * (rows - 1) + 1, b + stride * (places - 1) + 1
            y[:, :, a:bottom:stride, b:right:stride] += parts[:, :, a, b]
    return y[:, :, padding : padding + h, padding : padding + w]
