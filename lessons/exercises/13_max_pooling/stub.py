"""13. Max pooling of overlapping windows, with gradient.

Of each window only the largest number is kept. Windows of 2x2, once with stride 2 and once with stride 1:

    135 212 189  56                          212 212 204
    164 201 204 145        212 204           201 204 204
     30 126 189 156        126 189           126 189 189
     36  45  38  12

In the backward pass the gradient of a window goes to the number that was the largest there; all others had no
influence. With stride 1 windows overlap, and 204 is the largest of three of them: it collects all three
gradients. If grad is 1 everywhere, 204 gets 3, 212 and the 189 in the third row get 2, 201 and 126 get 1.
"""

import numpy as np


def max_pool(x, kernel_size, stride, padding):
    """The largest number of each window.

    x (N, C, H, W). The others are integers: windows of kernel_size x kernel_size move by stride; padding, at
    most half of kernel_size, is put around each image first, and never is the largest.
    Returns y (N, C, H_out, W_out), of x's dtype; H_out = (H + 2 padding - kernel_size) // stride + 1.
    """
    # TODO: a border that never wins, also where all numbers are negative
    # TODO: the largest number of each window
    raise NotImplementedError("max_pool")


def max_pool_backward(grad, x, kernel_size, stride, padding):
    """The gradient with respect to x, from that with respect to max_pool(x, kernel_size, stride, padding).

    grad has the shape of max_pool's result. If a window has its largest number several times, the first one
    counts, row by row. Returns an array of x's shape and dtype.
    """
    # TODO: for each window: where is its largest number? It gets the gradient, too
    raise NotImplementedError("max_pool_backward")
