import numpy as np


def max_unpool(x, indices, size):
    planes = []
    for image, places in zip(x, indices, strict=True):
        for channel, where in zip(image, places, strict=True):
            plane = np.zeros(size[0] * size[1], x.dtype)
            plane[where.ravel()] = channel.ravel()
            planes.append(plane)
    return np.array(planes, x.dtype).reshape(*x.shape[:2], *size)


def max_unpool_backward(grad, indices):
    result = np.empty(indices.shape, grad.dtype)
    for n in range(len(grad)):
        for c in range(grad.shape[1]):
            result[n, c] = grad[n, c].ravel()[indices[n, c]]
    return result
