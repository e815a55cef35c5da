import numpy as np


def conv2d_gradients(x, weight, grad, stride, padding):
    (height, width), (rows, columns) = x.shape[2:], grad.shape[2:]
    padded = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    grad_padded, grad_weight = np.zeros_like(padded), np.empty_like(weight)
    for a in range(weight.shape[2]):
        for b in range(weight.shape[3]):
            seen = np.s_[:, :, a : a + stride * rows : stride, b : b + stride * columns : stride]
            part = padded[seen][:, :, :rows, :columns]
            grad_weight[:, :, a, b] = np.tensordot(grad, part, ([0, 2, 3], [0, 2, 3]))
            grad_padded[seen][:, :, :rows, :columns] += np.einsum("nfij,fc->ncij", grad, weight[:, :, a, b])
    grad_x = grad_padded[:, :, padding : padding + height, padding : padding + width]
    return grad_x, grad_weight, grad.sum((0, 2, 3))
