import numpy as np

TOLD = "a mean in the place of the sum"


def unbroadcast(grad, shape):
    grad = grad.mean(axis=tuple(range(grad.ndim - len(shape))))
    return grad.mean(axis=tuple(a for a, size in enumerate(shape) if size == 1), keepdims=True)
