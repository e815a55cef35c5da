import numpy as np


def col2im(columns, size, kernel_size, stride, padding):
    (height, width), (kh, kw) = size, kernel_size
    rows = (height + 2 * padding - kh) // stride + 1
    places = (width + 2 * padding - kw) // stride + 1
    channels = columns.shape[1] // (kh * kw)
    x = np.zeros((columns.shape[0], channels, height, width), columns.dtype)
    for c in range(channels):
        for a in range(kh):
            for b in range(kw):
                for i in range(rows):
                    for j in range(places):
                        h, w = i * stride + a - padding, j * stride + b - padding
                        if 0 <= h < height and 0 <= w < width:
                            x[:, c, h, w] += columns[:, (c * kh + a) * kw + b, i * places + j]
    return x
