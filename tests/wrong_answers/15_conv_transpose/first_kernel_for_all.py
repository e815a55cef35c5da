import numpy as np

TOLD = "right at some elements, wrong at others"
NOT_TOLD = "squeeze"


def conv_transpose2d(x, weight, bias, stride, padding, output_padding):
    """The transposed convolution of a batch of images."""
    height, width = weight.shape[2:]
    rows = (x.shape[2] - 1) * stride + height + output_padding
    columns = (x.shape[3] - 1) * stride + width + output_padding
    y = np.zeros((len(x), weight.shape[1], rows, columns), dtype=x.dtype)
    for n, c, i, j in np.ndindex(x.shape):
        top, left = i * stride, j * stride
        y[n, :, top : top + height, left : left + width] += x[n, c, i, j] * weight[0]
    return y[:, :, padding : rows - padding, padding : columns - padding] + bias[:, None, None]
