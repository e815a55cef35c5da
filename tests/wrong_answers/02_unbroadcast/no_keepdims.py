import numpy as np

TOLD = "have vanished"


def unbroadcast(grad, shape):
    grad = grad.sum(axis=tuple(range(grad.ndim - len(shape))))
    return grad.sum(axis=tuple(a for a, size in enumerate(shape) if size == 1))
