import numpy as np


def conv_transpose2d(x, weight, bias, stride, padding, output_padding):
    count, channels, height, width = x.shape
    _, filters, kh, kw = weight.shape
    rows = (height - 1) * stride - 2 * padding + kh + output_padding
    columns = (width - 1) * stride - 2 * padding + kw + output_padding
    y = np.zeros((count, filters, rows, columns), x.dtype)
    for f in range(filters):
        y[:, f] = bias[f]
        for n in range(count):
            for c in range(channels):
                for i in range(height):
                    for j in range(width):
                        for a in range(kh):
                            for b in range(kw):
                                h, w = i * stride + a - padding, j * stride + b - padding
                                if 0 <= h < rows and 0 <= w < columns:
                                    y[n, f, h, w] += x[n, c, i, j] * weight[c, f, a, b]
    return y
