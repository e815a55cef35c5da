import numpy as np

TOLD = "not the border's values"


def im2col(x, kernel_size, stride, padding):
    kh, kw = kernel_size
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)), mode="edge")
    rows, columns = (x.shape[2] - kh) // stride + 1, (x.shape[3] - kw) // stride + 1
    y = np.zeros((len(x), x.shape[1] * kh * kw, rows * columns), dtype=x.dtype)
    for n in range(len(x)):
        for i in range(rows):
            for j in range(columns):
                top, left = i * stride, j * stride
                y[n, :, i * columns + j] = x[n, :, top : top + kh, left : left + kw].ravel()
    return y
