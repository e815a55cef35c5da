import numpy as np


def im2col(x, kernel_size, stride, padding):
    count, channels, height, width = x.shape
    kh, kw = kernel_size
    rows = (height + 2 * padding - kh) // stride + 1
    columns = (width + 2 * padding - kw) // stride + 1
    y = np.zeros((count, channels * kh * kw, rows * columns), x.dtype)
    for c in range(channels):
        for a in range(kh):
            for b in range(kw):
                for i in range(rows):
                    for j in range(columns):
                        h, w = i * stride + a - padding, j * stride + b - padding
                        if 0 <= h < height and 0 <= w < width:
                            y[:, (c * kh + a) * kw + b, i * columns + j] = x[:, c, h, w]
    return y
