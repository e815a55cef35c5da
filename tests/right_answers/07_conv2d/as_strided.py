import numpy as np
from numpy.lib.stride_tricks import as_strided


def conv2d(x, weight, bias, stride, padding):
    n, c, h, w = x.shape
    f, _, kh, kw = weight.shape
    padded = np.zeros((n, c, h + 2 * padding, w + 2 * padding), dtype=x.dtype)
    padded[:, :, padding : padding + h, padding : padding + w] = x
    rows, columns = (padded.shape[2] - kh) // stride + 1, (padded.shape[3] - kw) // stride + 1
    sn, sc, sh, sw = padded.strides
    windows = as_strided(
        padded, (n, rows, columns, c, kh, kw), (sn, sh * stride, sw * stride, sc, sh, sw), writeable=False
    )
    matrix = windows.reshape(n * rows * columns, c * kh * kw) @ weight.reshape(f, -1).T + bias
    return matrix.reshape(n, rows, columns, f).transpose(0, 3, 1, 2)
