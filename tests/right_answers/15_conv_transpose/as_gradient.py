import numpy as np


def conv_transpose2d(x, weight, bias, stride, padding, output_padding):
    """Row by row of the matrix of the convolution from y to x, transposed."""
    n, c, h, w = x.shape
    _, f, kh, kw = weight.shape
    p = padding
    rows, columns = (h - 1) * stride + kh + output_padding, (w - 1) * stride + kw + output_padding
    matrix = np.zeros((c, h, w, f, rows, columns), dtype=x.dtype)
    for i in range(h):
        for j in range(w):
            matrix[:, i, j, :, i * stride : i * stride + kh, j * stride : j * stride + kw] = weight
    matrix = matrix[..., p : rows - p, p : columns - p]
    flat = x.reshape(n, c * h * w) @ matrix.reshape(c * h * w, -1)
    return flat.reshape(n, *matrix.shape[3:]) + bias.reshape(f, 1, 1)
