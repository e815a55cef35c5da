import numpy as np


def conv_transpose2d(x, weight, bias, stride, padding, output_padding):
    n, _, h, w = x.shape
    _, filters, kh, kw = weight.shape
    rows, columns = stride * h + kh + output_padding, stride * w + kw + output_padding
    y = np.zeros((n, filters, rows, columns), dtype=x.dtype)
    parts = np.tensordot(x, weight, (1, 0)).transpose(0, 3, 1, 2, 4, 5)
    for a in range(kh):
        for b in range(kw):
            y[:, :, a : a + stride * h : stride, b : b + stride * w : stride] += parts[..., a, b]
    bottom = (h - 1) * stride + kh + output_padding - padding
    right = (w - 1) * stride + kw + output_padding - padding
    return y[:, :, padding:bottom, padding:right] + bias[:, np.newaxis, np.newaxis]
