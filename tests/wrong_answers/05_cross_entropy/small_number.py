import numpy as np

TOLD = "a small number added"


def cross_entropy(scores, labels):
    rows = np.arange(len(scores))
    p = np.exp(scores - scores.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    grad = p.copy()
    grad[rows, labels] -= 1
    return -np.log(p[rows, labels] + 1e-12).mean(), grad / len(scores)
