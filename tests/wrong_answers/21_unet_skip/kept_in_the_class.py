import numpy as np

TOLD = "a second one overwrites"


class Skip:
    def forward(self, up, copy):
        h, w = up.shape[2:]
        Skip.i, Skip.j = (copy.shape[2] - h) // 2, (copy.shape[3] - w) // 2
        Skip.c, Skip.shape = up.shape[1], copy.shape
        part = copy[:, :, Skip.i : Skip.i + h, Skip.j : Skip.j + w]
        return np.concatenate([up, part], axis=1)

    def backward(self, grad):
        h, w = grad.shape[2:]
        grad_copy = np.zeros(Skip.shape, dtype=grad.dtype)
        grad_copy[:, :, Skip.i : Skip.i + h, Skip.j : Skip.j + w] = grad[:, Skip.c :]
        return grad[:, : Skip.c], grad_copy
