import numpy as np


def conv2d_gradients(x, weight, grad, stride, padding):
    grad_x, grad_weight = np.zeros_like(x), np.zeros_like(weight)
    grad_bias = np.zeros(len(weight), x.dtype)
    for n in range(grad.shape[0]):
        for f in range(grad.shape[1]):
            for i in range(grad.shape[2]):
                for j in range(grad.shape[3]):
                    above = grad[n, f, i, j]
                    grad_bias[f] += above
                    for c in range(x.shape[1]):
                        for a in range(weight.shape[2]):
                            for b in range(weight.shape[3]):
                                h, w = i * stride + a - padding, j * stride + b - padding
                                if 0 <= h < x.shape[2] and 0 <= w < x.shape[3]:
                                    grad_x[n, c, h, w] += above * weight[f, c, a, b]
                                    grad_weight[f, c, a, b] += above * x[n, c, h, w]
    return grad_x, grad_weight, grad_bias
