"""09. Columns back into the image (col2im).

Exercise 08 copied windows into columns. In the backward pass the columns come back as gradients, and each
number belongs to the pixel that it was copied from. Where windows overlap, a pixel was copied several
times, and its gradient is the sum. Take an image of one row with three pixels, windows of 1x2 and stride 1:

    columns   1 3        the first window gives    1 2 .
              2 4        the second one          + . 3 4
                                                 = 1 5 4

Nothing is divided: this is no inverse of im2col, but its adjoint.
"""

import numpy as np


def col2im(columns, size, kernel_size, stride, padding):
    """Add each column to the window that it came from.

    columns has shape (N, C * kernel height * kernel width, H_out * W_out), in the order of exercise 08:
    down a column channel by channel, each row by row; the places row by row. size is (H, W), that of the
    images, kernel_size is (kernel height, kernel width); stride and padding are integers. As before there
    are H_out = (H + 2 padding - kernel height) // stride + 1 places below each other, and W_out alike.
    Returns an array of shape (N, C, H, W), of the dtype of columns. What would fall on the padding is
    dropped.
    """
    # TODO: zeros, with room for the padding
    # TODO: add each column to its window
    # TODO: cut the padding off
    raise NotImplementedError("col2im")
