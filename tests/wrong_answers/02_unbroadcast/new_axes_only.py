import numpy as np

TOLD = "those of size 1 that were stretched are not"


def unbroadcast(grad, shape):
    return grad.sum(axis=tuple(range(grad.ndim - len(shape))))
