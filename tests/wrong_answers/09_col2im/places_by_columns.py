import numpy as np

TOLD = "the places are counted column by column"


def col2im(columns, size, kernel_size, stride, padding):
    (h, w), (kh, kw) = size, kernel_size
    n, c = len(columns), columns.shape[1] // (kh * kw)
    y = np.zeros((n, c, h + 2 * padding, w + 2 * padding), dtype=columns.dtype)
    rows, places = (h + 2 * padding - kh) // stride + 1, (w + 2 * padding - kw) // stride + 1
    for i in range(rows):
        for j in range(places):
            top, left = i * stride, j * stride
            window = columns[:, :, j * rows + i].reshape(n, c, kh, kw)
            y[:, :, top : top + kh, left : left + kw] += window
    return y[:, :, padding : padding + h, padding : padding + w]
