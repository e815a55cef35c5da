import numpy as np


def conv2d(x, weight, bias, stride, padding):
    count, channels, height, width = x.shape
    filters, _, kh, kw = weight.shape
    rows = (height + 2 * padding - kh) // stride + 1
    columns = (width + 2 * padding - kw) // stride + 1
    y = np.zeros((count, filters, rows, columns), x.dtype)
    for n in range(count):
        for f in range(filters):
            for i in range(rows):
                for j in range(columns):
                    total = bias[f]
                    for c in range(channels):
                        for a in range(kh):
                            for b in range(kw):
                                h, w = i * stride + a - padding, j * stride + b - padding
                                if 0 <= h < height and 0 <= w < width:
                                    total += x[n, c, h, w] * weight[f, c, a, b]
                    y[n, f, i, j] = total
    return y
