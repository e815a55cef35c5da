import numpy as np
from numpy.lib.stride_tricks import sliding_window_view


def conv2d_gradients(x, weight, grad, stride, padding):
    kh, kw = weight.shape[2:]
    height, width = x.shape[2:]
    p = padding
    padded = np.pad(x, [(0, 0), (0, 0), (p, p), (p, p)])
    windows = sliding_window_view(padded, (kh, kw), axis=(2, 3))[:, :, ::stride, ::stride]
    grad_weight = np.einsum("nfij,ncijab->fcab", grad, windows)
    # zeros between and around the grads, then a convolution with the kernel turned around
    spread = np.zeros((*grad.shape[:2], padded.shape[2] + kh - 1, padded.shape[3] + kw - 1), grad.dtype)
    bottom, right = kh + stride * (grad.shape[2] - 1), kw + stride * (grad.shape[3] - 1)
    spread[:, :, kh - 1 : bottom : stride, kw - 1 : right : stride] = grad
    seen = sliding_window_view(spread, (kh, kw), axis=(2, 3))
    grad_padded = np.einsum("nfhwab,fcab->nchw", seen, weight[:, :, ::-1, ::-1])
    return grad_padded[:, :, p : p + height, p : p + width], grad_weight, np.einsum("nfij->f", grad)
