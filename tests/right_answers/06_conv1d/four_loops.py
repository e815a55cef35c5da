import numpy as np


def conv1d(x, weight, stride, padding, dilation):
    count, length = x.shape
    places = (length + 2 * padding - dilation * (len(weight) - 1) - 1) // stride + 1
    y = np.zeros((count, places), x.dtype)
    for n in range(count):
        for i in range(places):
            for k in range(len(weight)):
                where = i * stride + k * dilation - padding
                if 0 <= where < length:
                    y[n, i] += x[n, where] * weight[k]
    return y
