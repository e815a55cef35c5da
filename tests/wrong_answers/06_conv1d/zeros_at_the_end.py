import numpy as np

TOLD = "at one end only"


def conv1d(x, weight, stride, padding, dilation):
    padded = np.zeros((len(x), x.shape[1] + 2 * padding), dtype=x.dtype)
    padded[:, : x.shape[1]] = x
    reach = dilation * (len(weight) - 1) + 1
    places = (padded.shape[1] - reach) // stride + 1
    y = np.zeros((len(x), places), dtype=x.dtype)
    for n in range(len(x)):
        for i in range(places):
            window = padded[n, i * stride : i * stride + reach : dilation]
            y[n, i] = (window * weight).sum()
    return y
