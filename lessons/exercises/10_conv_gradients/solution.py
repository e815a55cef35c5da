"""10. The three gradients of a convolution: a solution."""

import numpy as np


def conv2d_gradients(x, weight, grad, stride, padding):
    """The gradients with respect to x, weight and bias of y = conv2d(x, weight, bias, stride, padding)."""
    kh, kw = weight.shape[2:]
    padded = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    grad_padded, grad_weight = np.zeros_like(padded), np.zeros_like(weight)
    for n, c, i, j in np.ndindex(grad.shape):
        rows, columns = slice(i * stride, i * stride + kh), slice(j * stride, j * stride + kw)
        grad_weight[c] += grad[n, c, i, j] * padded[n, :, rows, columns]
        grad_padded[n, :, rows, columns] += grad[n, c, i, j] * weight[c]
    height, width = x.shape[2:]
    grad_x = grad_padded[:, :, padding : padding + height, padding : padding + width]
    return grad_x, grad_weight, grad.sum(axis=(0, 2, 3))
