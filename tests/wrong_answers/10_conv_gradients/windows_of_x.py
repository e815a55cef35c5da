import numpy as np

TOLD = "those of the padded x"


def conv2d_gradients(x, weight, grad, stride, padding):
    kh, kw = weight.shape[2:]
    h, w = x.shape[2:]
    padded = np.zeros((*x.shape[:2], h + 2 * padding, w + 2 * padding), dtype=x.dtype)
    padded[:, :, :h, :w] = x
    grad_padded, grad_weight = np.zeros_like(padded), np.zeros_like(weight)
    for n, c, i, j in np.ndindex(grad.shape):
        rows, columns = slice(i * stride, i * stride + kh), slice(j * stride, j * stride + kw)
        grad_weight[c] += grad[n, c, i, j] * padded[n, :, rows, columns]
        grad_padded[n, :, rows, columns] += grad[n, c, i, j] * weight[c]
    grad_x = grad_padded[:, :, padding : padding + h, padding : padding + w]
    return grad_x, grad_weight, grad.sum(axis=(0, 2, 3))
