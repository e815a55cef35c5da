import numpy as np

TOLD = "are filled with zeros"


def conv_transpose2d(x, weight, bias, stride, padding, output_padding):
    kh, kw = weight.shape[2:]
    p, q = padding, output_padding
    rows, columns = (x.shape[2] - 1) * stride + kh, (x.shape[3] - 1) * stride + kw
    y = np.zeros((len(x), weight.shape[1], rows, columns), dtype=x.dtype)
    for n, c, i, j in np.ndindex(x.shape):
        top, left = i * stride, j * stride
        y[n, :, top : top + kh, left : left + kw] += x[n, c, i, j] * weight[c]
    y = np.pad(y[:, :, p : rows - p, p : columns - p], ((0, 0), (0, 0), (0, q), (0, q)))
    return y + bias[:, None, None]
