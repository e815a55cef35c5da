import numpy as np


def im2col(x, kernel_size, stride, padding):
    kh, kw = kernel_size
    padded = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    rows = (padded.shape[2] - kh) // stride + 1
    columns = (padded.shape[3] - kw) // stride + 1
    c, a, b = np.indices((x.shape[1], kh, kw)).reshape(3, -1, 1)
    i, j = np.indices((rows, columns)).reshape(2, 1, -1) * stride
    return padded[:, c, i + a, j + b]
