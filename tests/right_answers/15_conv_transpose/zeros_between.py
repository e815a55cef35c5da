import numpy as np
from numpy.lib.stride_tricks import sliding_window_view


def conv_transpose2d(x, weight, bias, stride, padding, output_padding):
    n, c, h, w = x.shape
    kh, kw = weight.shape[2:]
    # zeros between the numbers and around them, then a convolution with the kernel turned around
    rows, columns = (h - 1) * stride + 1, (w - 1) * stride + 1
    spread = np.zeros(
        (n, c, rows + 2 * (kh - 1) + output_padding, columns + 2 * (kw - 1) + output_padding), x.dtype
    )
    spread[:, :, kh - 1 : kh - 1 + rows : stride, kw - 1 : kw - 1 + columns : stride] = x
    windows = sliding_window_view(spread, (kh, kw), axis=(2, 3))
    y = np.einsum("nchwab,cfab->nfhw", windows, weight[:, :, ::-1, ::-1])
    y = y[:, :, padding : y.shape[2] - padding, padding : y.shape[3] - padding]
    return y + bias.reshape(1, -1, 1, 1)
