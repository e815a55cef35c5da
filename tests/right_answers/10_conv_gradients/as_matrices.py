import numpy as np


def conv2d_gradients(x, weight, grad, stride, padding):
    (n, c, h, w), (f, _, kh, kw) = x.shape, weight.shape
    rows, columns = grad.shape[2:]
    i = stride * np.arange(rows)[:, None, None, None] + np.arange(kh)[None, None, :, None]
    j = stride * np.arange(columns)[None, :, None, None] + np.arange(kw)[None, None, None, :]
    padded = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    windows = padded[:, :, i, j].transpose(0, 2, 3, 1, 4, 5).reshape(n * rows * columns, c * kh * kw)
    above = grad.transpose(0, 2, 3, 1).reshape(n * rows * columns, f)
    grad_weight = (above.T @ windows).reshape(weight.shape)
    back = (above @ weight.reshape(f, c * kh * kw)).reshape(n, rows, columns, c, kh, kw)
    grad_padded = np.zeros_like(padded)
    np.add.at(grad_padded, (slice(None), slice(None), i, j), back.transpose(0, 3, 1, 2, 4, 5))
    return grad_padded[:, :, padding : padding + h, padding : padding + w], grad_weight, above.sum(0)
