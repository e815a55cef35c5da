import numpy as np

TOLD = "solve it without that"


def conv1d(x, weight, stride, padding, dilation):
    spread = np.zeros(dilation * (len(weight) - 1) + 1, dtype=x.dtype)
    spread[::dilation] = weight
    padded = np.pad(x, ((0, 0), (padding, padding)))
    return np.stack([np.convolve(row, spread[::-1], "valid")[::stride] for row in padded])
