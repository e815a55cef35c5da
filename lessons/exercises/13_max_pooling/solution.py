"""13. Max pooling and its gradient: a solution."""

import numpy as np


def with_border(x, padding):
    """x with minus infinity around it."""
    border = ((0, 0), (0, 0), (padding, padding), (padding, padding))
    return np.pad(x, border, constant_values=-np.inf)


def max_pool(x, kernel_size, stride, padding):
    """The largest number of each window."""
    padded = with_border(x, padding)
    rows, columns = ((size - kernel_size) // stride + 1 for size in padded.shape[2:])
    y = np.zeros((*x.shape[:2], rows, columns), dtype=x.dtype)
    for i in range(rows):
        for j in range(columns):
            top, left = i * stride, j * stride
            y[:, :, i, j] = padded[:, :, top : top + kernel_size, left : left + kernel_size].max(axis=(2, 3))
    return y


def max_pool_backward(grad, x, kernel_size, stride, padding):
    """The gradient with respect to x."""
    padded = with_border(x, padding)
    result = np.zeros_like(padded)
    for n, c, i, j in np.ndindex(grad.shape):
        top, left = i * stride, j * stride
        window = padded[n, c, top : top + kernel_size, left : left + kernel_size]
        row, column = np.unravel_index(window.argmax(), window.shape)
        result[n, c, top + row, left + column] += grad[n, c, i, j]
    return result[:, :, padding : padding + x.shape[2], padding : padding + x.shape[3]]
