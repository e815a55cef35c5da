import numpy as np

TOLD = "zero where it is wrong"
NOT_TOLD = "the stride is ignored"


def conv2d(x, weight, bias, stride, padding):
    N, C, H, W = x.shape
    F, _, kh, kw = weight.shape
    p = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    ho = (H + 2 * padding - kh) // stride + 1
    wo = (W + 2 * padding - kw) // stride + 1
    y = np.zeros((N, F, ho, wo), dtype=x.dtype)
    for n in range(1):
        for c in range(F):
            for i in range(ho):
                for j in range(wo):
                    y[n, c, i, j] = (
                        p[n, :, i * stride : i * stride + kh, j * stride : j * stride + kw] * weight[c]
                    ).sum() + bias[c]
    return y
