"""08. Windows into columns: a solution."""

import numpy as np


def im2col(x, kernel_size, stride, padding):
    """Each window as a column."""
    height, width = kernel_size
    padded = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    rows = (padded.shape[2] - height) // stride + 1
    columns = (padded.shape[3] - width) // stride + 1
    y = np.zeros((len(x), x.shape[1] * height * width, rows * columns), dtype=x.dtype)
    for n in range(len(x)):
        for i in range(rows):
            for j in range(columns):
                top, left = i * stride, j * stride
                window = padded[n, :, top : top + height, left : left + width]
                y[n, :, i * columns + j] = window.ravel()
    return y
