import math

import numpy as np


def weighted_cross_entropy(scores, labels, weights):
    grad, total, loss = np.zeros_like(scores), 0.0, 0.0
    for n, i, j in np.ndindex(labels.shape):
        label = labels[n, i, j]
        pixel = [float(z) for z in scores[n, :, i, j]]
        top = max(pixel)
        exps = [math.exp(z - top) for z in pixel]
        loss += weights[label] * (math.log(sum(exps)) + top - pixel[label])
        total += weights[label]
        for c in range(len(exps)):
            grad[n, c, i, j] = weights[label] * (exps[c] / sum(exps) - (c == label))
    return loss / total, grad / np.asarray(total, grad.dtype)
