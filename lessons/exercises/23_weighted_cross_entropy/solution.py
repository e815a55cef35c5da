"""23. Weighted cross-entropy for every pixel: a solution."""

import numpy as np


def weighted_cross_entropy(scores, labels, weights):
    """The loss, and its gradient with respect to the scores."""
    shifted = scores - scores.max(axis=1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    right = np.arange(scores.shape[1])[:, None, None] == labels[:, None]
    pixel_weights = weights[labels]
    loss = -(pixel_weights[:, None] * log_p)[right].sum() / pixel_weights.sum()
    grad = pixel_weights[:, None] * (np.exp(log_p) - right) / pixel_weights.sum()
    return loss, grad
