import numpy as np


def unbroadcast(grad, shape):
    padded = (1,) * (grad.ndim - len(shape)) + tuple(shape)
    result = np.zeros(padded, dtype=grad.dtype)
    for place in np.ndindex(grad.shape):
        source = tuple(0 if size == 1 else i for i, size in zip(place, padded, strict=True))
        result[source] += grad[place]
    return result.reshape(shape)
