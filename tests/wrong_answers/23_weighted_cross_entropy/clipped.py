import numpy as np

TOLD = "this number is not right"
NOT_TOLD = "C order"


def weighted_cross_entropy(scores, labels, weights):
    s = scores - scores.max(axis=1, keepdims=True)
    e = np.exp(s)
    p = e / e.sum(axis=1, keepdims=True)
    onehot = np.moveaxis(np.eye(scores.shape[1])[labels], -1, 1)
    w = weights[labels]
    loss = -(w * np.log(np.clip((p * onehot).sum(1), 1e-12, 1))).sum() / w.sum()
    return loss, (w[:, None] * (p - onehot) / w.sum()).astype(scores.dtype)
