import numpy as np

TOLD = "a mean of each image first"


def weighted_cross_entropy(scores, labels, weights):
    shifted = scores - scores.max(axis=1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    picked = np.take_along_axis(log_p, labels[:, None], axis=1)[:, 0]
    one_hot = np.eye(len(weights), dtype=scores.dtype)[labels].transpose(0, 3, 1, 2)
    w = weights[labels]
    loss = np.mean(-(w * picked).sum(axis=(1, 2)) / w.sum(axis=(1, 2)))
    grad = w[:, None] * (np.exp(log_p) - one_hot) / w.sum(axis=(1, 2)).reshape(-1, 1, 1, 1) / len(w)
    return loss, grad
