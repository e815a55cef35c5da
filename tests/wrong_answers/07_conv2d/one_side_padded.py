import numpy as np

TOLD = "the padding is on one side only"


def conv2d(x, weight, bias, stride, padding):
    kh, kw = weight.shape[2:]
    x = np.pad(x, ((0, 0), (0, 0), (0, 2 * padding), (0, 2 * padding)))
    rows, columns = (x.shape[2] - kh) // stride + 1, (x.shape[3] - kw) // stride + 1
    y = np.zeros((len(x), len(weight), rows, columns), dtype=x.dtype)
    for n in range(len(x)):
        for c in range(len(weight)):
            for i in range(rows):
                for j in range(columns):
                    top, left = i * stride, j * stride
                    y[n, c, i, j] = (x[n, :, top : top + kh, left : left + kw] * weight[c]).sum() + bias[c]
    return y
