import numpy as np

TOLD = "once for each input channel"


def conv_transpose2d(x, weight, bias, stride, padding, output_padding):
    kh, kw = weight.shape[2:]
    p, q = padding, output_padding
    rows, columns = (x.shape[2] - 1) * stride + kh + q, (x.shape[3] - 1) * stride + kw + q
    y = np.zeros((len(x), weight.shape[1], rows, columns), dtype=x.dtype)
    for c in range(x.shape[1]):
        for n in range(len(x)):
            for i in range(x.shape[2]):
                for j in range(x.shape[3]):
                    top, left = i * stride, j * stride
                    y[n, :, top : top + kh, left : left + kw] += x[n, c, i, j] * weight[c]
        y += bias[:, None, None]
    return y[:, :, p : rows - p, p : columns - p]
