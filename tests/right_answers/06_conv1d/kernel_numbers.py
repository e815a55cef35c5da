import numpy as np


def conv1d(x, weight, stride, padding, dilation):
    zeros = np.zeros((x.shape[0], padding), dtype=x.dtype)
    x = np.concatenate([zeros, x, zeros], axis=1)
    places = (x.shape[1] - dilation * (weight.size - 1) - 1) // stride + 1
    y = 0
    for k, w in enumerate(weight):
        y = y + w * x[:, k * dilation :][:, ::stride][:, :places]
    return y
