import numpy as np

TOLD = "the sign of the loss"


def weighted_cross_entropy(scores, labels, weights):
    shifted = scores - scores.max(axis=1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    picked = np.take_along_axis(log_p, labels[:, None], axis=1)[:, 0]
    one_hot = np.eye(len(weights), dtype=scores.dtype)[labels].transpose(0, 3, 1, 2)
    w = weights[labels]
    loss = (w * picked).sum() / w.sum()
    grad = w[:, None] * (np.exp(log_p) - one_hot) / w.sum()
    return loss, grad
