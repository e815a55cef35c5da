"""14. Unpooling.

Max pooling makes an image small and remembers where each maximum stood. Unpooling, as in SegNet, makes it
large again: each number goes back to the place that was remembered, and everything else is zero. The places
are given as one number each, counted row by row through the large image. Back into 3 rows of 4 pixels:

    x           indices        y
    7 9         1 6            . 7 . .          6 = row 1, column 2, as 6 = 1 · 4 + 2
    5 8         8 11           . . 9 .
                               5 . . 8

Backward is simpler still: each number of x had influence at one place of y only, and gets the gradient of
that place.
"""

import numpy as np


def max_unpool(x, indices, size):
    """Each number of x at its place in a larger image of zeros.

    x has shape (N, C, h, w); indices, integers of the same shape, are the places in the image of this
    channel, all of them different. size is (H, W). Returns y (N, C, H, W), of x's dtype.
    """
    # TODO: zeros; then each number at the row and column that its index stands for
    raise NotImplementedError("max_unpool")


def max_unpool_backward(grad, indices):
    """The gradient with respect to x, from that with respect to max_unpool(x, indices, size).

    grad has shape (N, C, H, W). Returns an array of the shape of indices, of grad's dtype.
    """
    # TODO: for each number of x: the gradient at its place
    raise NotImplementedError("max_unpool_backward")
