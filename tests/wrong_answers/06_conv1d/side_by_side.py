import numpy as np

TOLD = "taken side by side"


def conv1d(x, weight, stride, padding, dilation):
    padded = np.pad(x, ((0, 0), (padding, padding)))
    places = (padded.shape[1] - dilation * (len(weight) - 1) - 1) // stride + 1
    y = np.zeros((len(x), places), dtype=x.dtype)
    for n in range(len(x)):
        for i in range(places):
            y[n, i] = (padded[n, i * stride : i * stride + len(weight)] * weight).sum()
    return y
