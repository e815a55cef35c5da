import numpy as np

TOLD = "the kernels begin next to each other"


def conv_transpose2d(x, weight, bias, stride, padding, output_padding):
    kh, kw = weight.shape[2:]
    p, q = padding, output_padding
    rows, columns = (x.shape[2] - 1) * stride + kh + q, (x.shape[3] - 1) * stride + kw + q
    y = np.zeros((len(x), weight.shape[1], rows, columns), dtype=x.dtype)
    for n, c, i, j in np.ndindex(x.shape):
        y[n, :, i : i + kh, j : j + kw] += x[n, c, i, j] * weight[c]
    return y[:, :, p : rows - p, p : columns - p] + bias[:, None, None]
