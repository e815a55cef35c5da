"""15. Transposed convolution with output padding.

A convolution gathers: it makes one number of a window. A transposed convolution scatters: each number of
the input puts the whole kernel, multiplied with itself, into the output; the stride is the distance between
these places; and where they overlap, they add up. In one dimension, with x = 1 2, the kernel 1 10 100 and
stride 2:

    1 times the kernel       1  10 100   .   .
    2 times the kernel       .   .   2  20 200
    together                 1  10 102  20 200

Padding takes away, where a convolution's adds: with padding 1 the first and the last number are cut off,
and 10 102 20 is left. Output padding makes the end longer by so much. That is not a zero: with output
padding 1 less is cut off there, and the result is 10 102 20 200. Only what no kernel has reached is zero.
"""

import numpy as np


def conv_transpose2d(x, weight, bias, stride, padding, output_padding):
    """The transposed convolution of a batch of images.

    x (N, C_in, H, W); weight (C_in, C_out, kernel height, kernel width), the channels the other way round
    than for a convolution; bias (C_out,) is added to each number of the output. The others are integers,
    for both directions; output_padding is less than stride, and makes the image larger at the bottom and on
    the right.
    Returns y (N, C_out, H_out, W_out), of x's dtype;
    H_out = (H - 1) * stride - 2 padding + kernel height + output_padding, and W_out alike.
    """
    # TODO: zeros, with room for what is cut off later
    # TODO: each number of x puts kernels there, one for each output channel
    # TODO: cut off, and add the bias
    raise NotImplementedError("conv_transpose2d")
