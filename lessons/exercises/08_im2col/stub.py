"""08. Windows into columns (im2col).

A convolution looks at one window after the other. im2col copies each window into a column of a matrix; then
the convolution is a product of two matrices, which computers do fast. An image of 2 rows and 3 columns has
two windows of 2x2:

    1 2 3        window at place 0:  1 2      at place 1:  2 3      so the columns are   1 2
    4 5 6                            4 5                   5 6                           2 3
                                                                                         4 5
                                                                                         5 6

A window is written row by row; with several channels, all of the first channel comes first, then the
second, and so on. The places are counted row by row, too.
"""

import numpy as np


def im2col(x, kernel_size, stride, padding):
    """Each window as a column.

    x has shape (N, C, H, W); kernel_size is a pair (kernel height, kernel width). stride and padding are
    integers: the window moves by stride, and padding zeros are put around each image first. There are
    H_out = (H + 2 padding - kernel height) // stride + 1 places below each other, and W_out alike.
    Returns an array of shape (N, C * kernel height * kernel width, H_out * W_out), of x's dtype.
    """
    # TODO: put zeros around x, and count the places
    # TODO: copy the window of each place into its column
    raise NotImplementedError("im2col")
