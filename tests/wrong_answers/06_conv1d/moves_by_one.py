import numpy as np

TOLD = "the window moves by 1"


def conv1d(x, weight, stride, padding, dilation):
    padded = np.pad(x, ((0, 0), (padding, padding)))
    reach = dilation * (len(weight) - 1) + 1
    places = (padded.shape[1] - reach) // stride + 1
    y = np.zeros((len(x), places), dtype=x.dtype)
    for n in range(len(x)):
        for i in range(places):
            y[n, i] = (padded[n, i : i + reach : dilation] * weight).sum()
    return y
