"""09. Columns back into the image: a solution."""

import numpy as np


def col2im(columns, size, kernel_size, stride, padding):
    """Add each column to the window that it came from."""
    (height, width), (kh, kw) = size, kernel_size
    count, channels = len(columns), columns.shape[1] // (kh * kw)
    padded = np.zeros((count, channels, height + 2 * padding, width + 2 * padding), dtype=columns.dtype)
    places = (width + 2 * padding - kw) // stride + 1
    for number in range(columns.shape[2]):
        top, left = number // places * stride, number % places * stride
        window = columns[:, :, number].reshape(count, channels, kh, kw)
        padded[:, :, top : top + kh, left : left + kw] += window
    return padded[:, :, padding : padding + height, padding : padding + width]
