import numpy as np

TOLD = "the size of the output is wrong with a stride"


def conv2d(x, weight, bias, stride, padding):
    kh, kw = weight.shape[2:]
    height, width = x.shape[2] + 2 * padding - kh + 1, x.shape[3] + 2 * padding - kw + 1
    y = np.zeros((len(x), len(weight), height, width), dtype=x.dtype)
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    for i in range((height - 1) // stride + 1):
        for j in range((width - 1) // stride + 1):
            window = x[:, :, i * stride : i * stride + kh, j * stride : j * stride + kw]
            y[:, :, i, j] = np.tensordot(window, weight, ([1, 2, 3], [1, 2, 3])) + bias
    return y
