import numpy as np


def conv1d(x, weight, stride, padding, dilation):
    padded = np.pad(x, ((0, 0), (padding, padding)))
    places = (padded.shape[1] - dilation * (len(weight) - 1) - 1) // stride + 1
    seen = stride * np.arange(places)[:, None] + dilation * np.arange(len(weight))
    return padded[:, seen] @ weight
