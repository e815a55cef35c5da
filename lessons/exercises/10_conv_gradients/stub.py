"""10. The three gradients of a convolution.

From further on comes the gradient of the loss with respect to each number of the output, grad. You send it
on to the input, the kernel and the bias. Ask of each: where does it stand, and beside whom? One row of
pixels, a kernel of two numbers, no padding, stride 1:

    y0 = w0 x0 + w1 x1 + b        y1 = w0 x1 + w1 x2 + b        y2 = w0 x2 + w1 x3 + b

    w0 stands beside x0, x1, x2:    its gradient is     g0 x0 + g1 x1 + g2 x2
    x1 stands beside w1 and w0:                         g0 w1 + g1 w0
    b stands everywhere:                                g0 + g1 + g2

With x = 1 3 2 5, w = 2 -1 and g = 1 0 -2 this is -3 -7 for w, 2 -1 -4 2 for x, and -1 for b.
"""

import numpy as np


def conv2d_gradients(x, weight, grad, stride, padding):
    """The gradients with respect to x, weight and bias of y = conv2d(x, weight, bias, stride, padding).

    x (N, C_in, H, W); weight (C_out, C_in, kernel height, kernel width); grad (N, C_out, H_out, W_out), the
    gradient with respect to y. stride and padding are integers. conv2d is that of exercise 07: in y, place
    (i, j) of channel c is the sum of a window of the padded x times weight[c], plus bias[c]; the window
    begins at row i * stride and column j * stride.
    Returns (grad_x, grad_weight, grad_bias), of the shapes of x, weight and bias, and of x's dtype.
    """
    # TODO: grad_bias: how often, and where, does a bias stand?
    # TODO: grad_weight: each place adds its window of the padded x, times its grad
    # TODO: grad_x: each place adds the kernel to its window of the padded gradient, times its grad
    raise NotImplementedError("conv2d_gradients")
