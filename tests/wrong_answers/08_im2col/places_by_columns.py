import numpy as np

TOLD = "the places are counted column by column"


def im2col(x, kernel_size, stride, padding):
    kh, kw = kernel_size
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    rows, columns = (x.shape[2] - kh) // stride + 1, (x.shape[3] - kw) // stride + 1
    y = np.zeros((len(x), x.shape[1] * kh * kw, rows * columns), dtype=x.dtype)
    for n in range(len(x)):
        for j in range(columns):
            for i in range(rows):
                top, left = i * stride, j * stride
                y[n, :, j * rows + i] = x[n, :, top : top + kh, left : left + kw].ravel()
    return y
