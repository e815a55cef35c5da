import math

import numpy as np


def cross_entropy(scores, labels):
    grad, loss = np.zeros_like(scores), 0.0
    for n, row in enumerate(scores):
        top = max(row)
        total = sum(math.exp(z - top) for z in row)
        loss -= row[labels[n]] - top - math.log(total)
        for c, z in enumerate(row):
            grad[n, c] = (math.exp(z - top) / total - (c == labels[n])) / len(scores)
    return loss / len(scores), grad
