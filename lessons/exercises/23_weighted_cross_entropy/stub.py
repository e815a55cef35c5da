"""23. Weighted cross-entropy for every pixel.

A segmentation network gives each pixel a score for each class. Where one class is rare, its pixels hardly
count in a plain mean. So each class gets a weight, and the loss is the weighted mean of the pixels' losses,

    loss = sum(w[label] * -log p[label]) / sum(w[label])        both sums run over all pixels of all images

By hand, for an image of two pixels and two classes whose scores are all 0: every p is 1/2, and both pixels
have the loss 0.693. With labels 0 and 1 and weights [1, 3] the mean is (1 * 0.693 + 3 * 0.693) / 4, again
0.693. The gradient at the second pixel is 3/4 * (1/2, 1/2 - 1) = (0.375, -0.375), three times as large as
at the first.
"""

import numpy as np


def weighted_cross_entropy(scores, labels, weights):
    """The loss, and its gradient with respect to the scores.

    scores has shape (N, C, H, W); labels (N, H, W) holds integers from 0 to C - 1; weights (C,) holds a
    positive number for each class. N is at least 1. Scores may be large: exp(1000) is infinite, and the loss
    must not be. Returns (loss, grad): a number, and an array of the shape and dtype of scores.
    """
    # TODO: log-probabilities of the classes at each pixel; subtract the largest score first
    # TODO: the weight of each pixel: that of its label
    # TODO: the loss, and the gradient; both are divided by the sum of the pixels' weights
    raise NotImplementedError("weighted_cross_entropy")
