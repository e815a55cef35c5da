"""07. Two-dimensional convolution by loops.

A window slides over the image. At each place the numbers under it are multiplied with the kernel's and
added up: that is one number of the output. Lesson 04 does it by hand for a 6x6 image. As in all of deep
learning the kernel is not flipped.
"""

import numpy as np


def conv2d(x, weight, bias, stride, padding):
    """The convolution of a batch of images.

    x (N, C_in, H, W); weight (C_out, C_in, kernel height, kernel width); bias (C_out,). stride and padding
    are integers: the window moves by stride, and padding zeros are put around each image first.
    Returns y (N, C_out, H_out, W_out), of x's dtype; H_out = (H + 2 padding - kernel height) // stride + 1,
    and W_out alike.
    """
    # TODO: put zeros around x
    # TODO: make y; for each of its places multiply a window of x with the kernel, and add up
    # TODO: add the bias of each output channel
    raise NotImplementedError("conv2d")
