import numpy as np


def unbroadcast(grad, shape):
    new = grad.ndim - len(shape)
    letters = "abcdefgh"[: grad.ndim]
    kept = "".join(c for c, size in zip(letters[new:], shape, strict=True) if size > 1 or size == 0)
    return np.einsum(f"{letters}->{kept}", grad).reshape(shape)
