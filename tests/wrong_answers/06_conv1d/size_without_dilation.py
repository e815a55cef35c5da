import numpy as np

TOLD = "the size is that for dilation 1"


def conv1d(x, weight, stride, padding, dilation):
    padded = np.pad(x, ((0, 0), (padding, padding)))
    places = (padded.shape[1] - len(weight)) // stride + 1
    y = np.zeros((len(x), places), dtype=x.dtype)
    for n in range(len(x)):
        for i in range(places):
            for k in range(len(weight)):
                y[n, i] += padded[n, i * stride + k * dilation] * weight[k]
    return y
