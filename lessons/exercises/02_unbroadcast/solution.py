"""02. The gradient of broadcasting: a solution."""


def unbroadcast(grad, shape):
    """The gradient of an array of that shape that broadcasting has stretched to grad's shape."""
    new = grad.ndim - len(shape)
    grad = grad.sum(axis=tuple(range(new)))
    stretched = tuple(axis for axis, size in enumerate(shape) if size == 1 and grad.shape[axis] != 1)
    return grad.sum(axis=stretched, keepdims=True)
