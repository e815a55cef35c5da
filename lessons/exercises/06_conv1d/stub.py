"""06. One-dimensional convolution by loops.

A kernel of K numbers slides along a signal. At each place the numbers under it are multiplied with the
kernel's and added up: that is one number of the output. The kernel is not flipped. For the signal 1 2 4 7
and the kernel 1 0 -1 there are two places:

    1·1 + 2·0 + 4·(-1) = -3        2·1 + 4·0 + 7·(-1) = -5

Padding 1 puts a zero at each end, 0 1 2 4 7 0, and there are four places: -2 -3 -5 4. With stride 2 only
every second place counts: -2 -5. Dilation is the step between the numbers that the kernel looks at: the
kernel 1 -1 with dilation 2 (and no padding) compares 1 with 4 and 2 with 7, which gives -3 -5.
"""

import numpy as np


def conv1d(x, weight, stride, padding, dilation):
    """The convolution of a batch of signals.

    x has shape (N, L): N signals of L numbers. weight has shape (K,). The others are integers: padding zeros
    are put before and after each signal, the window moves by stride, and its K numbers stand dilation apart.
    Returns y (N, L_out), of x's dtype; L_out = (L + 2 padding - dilation (K - 1) - 1) // stride + 1.
    """
    # TODO: put zeros before and after each signal
    # TODO: make y, of the right size
    # TODO: for each place of y: where does its window begin, and which K numbers does it see?
    raise NotImplementedError("conv1d")
