import numpy as np

TOLD = "weight has the shape (C_in, C_out"


def conv_transpose2d(x, weight, bias, stride, padding, output_padding):
    filters, _, kh, kw = weight.shape
    rows = (x.shape[2] - 1) * stride + kh + output_padding
    columns = (x.shape[3] - 1) * stride + kw + output_padding
    y = np.zeros((len(x), filters, rows, columns), dtype=x.dtype)
    for n, c, i, j in np.ndindex(x.shape):
        top, left = i * stride, j * stride
        for f in range(filters):
            y[n, f, top : top + kh, left : left + kw] += x[n, c, i, j] * weight[f, c]
    for f in range(filters):
        y[:, f] += bias[f]
    return y[:, :, padding : rows - padding, padding : columns - padding]
