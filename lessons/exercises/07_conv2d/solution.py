"""07. Two-dimensional convolution by loops: a solution."""

import numpy as np


def conv2d(x, weight, bias, stride, padding):
    """The convolution of a batch of images."""
    height, width = weight.shape[2:]
    padded = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    rows = (padded.shape[2] - height) // stride + 1
    columns = (padded.shape[3] - width) // stride + 1
    y = np.zeros((len(x), len(weight), rows, columns), dtype=x.dtype)
    for n in range(len(x)):
        for c in range(len(weight)):
            for i in range(rows):
                for j in range(columns):
                    top, left = i * stride, j * stride
                    window = padded[n, :, top : top + height, left : left + width]
                    y[n, c, i, j] = (window * weight[c]).sum() + bias[c]
    return y
