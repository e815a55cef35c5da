import numpy as np

TOLD = "right at some elements of other cases, but not here"
NOT_TOLD = "wrong at others"


def conv1d(x, weight, stride, padding, dilation):
    """The convolution of a batch of signals."""
    padded = np.pad(x, ((0, 0), (padding, padding)))
    reach = dilation * (len(weight) - 1) + 1
    places = (padded.shape[1] - reach) // stride + 1
    y = np.zeros((len(x), places), dtype=x.dtype)
    for n in range(len(x)):
        for i in range(places):
            window = padded[n, i * stride : i * stride + reach : dilation]
            y[n, i] = np.abs(window * weight).sum()
    return y
