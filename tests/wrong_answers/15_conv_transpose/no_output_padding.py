import numpy as np

TOLD = "output_padding is left out"


def conv_transpose2d(x, weight, bias, stride, padding, output_padding):
    kh, kw = weight.shape[2:]
    p, q = padding, output_padding
    q = 0
    rows, columns = (x.shape[2] - 1) * stride + kh + q, (x.shape[3] - 1) * stride + kw + q
    y = np.zeros((len(x), weight.shape[1], rows, columns), dtype=x.dtype)
    for n, c, i, j in np.ndindex(x.shape):
        top, left = i * stride, j * stride
        y[n, :, top : top + kh, left : left + kw] += x[n, c, i, j] * weight[c]
    return y[:, :, p : rows - p, p : columns - p] + bias[:, None, None]
