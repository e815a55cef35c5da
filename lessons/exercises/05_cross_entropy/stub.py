"""05. Softmax and cross-entropy.

A network gives each class a score. Softmax makes probabilities of the scores, p = exp(z) / sum exp(z), and
the loss is the mean of -log p[right class] over the batch. Scores may be large: exp(1000) is infinite, and
the loss must not be.
"""

import numpy as np


def cross_entropy(scores, labels):
    """The loss, and its gradient with respect to the scores.

    scores has shape (N, C); labels, of shape (N,), holds integers from 0 to C - 1: the right classes.
    N is at least 1. Returns (loss, grad): a number, and an array of the shape and dtype of scores.
    """
    # TODO: log-probabilities; subtract each row's maximum first, which changes nothing but the overflow
    # TODO: the loss: minus the mean of the right classes' log-probabilities
    # TODO: the gradient: probabilities, minus 1 at the right class, over N
    raise NotImplementedError("cross_entropy")
