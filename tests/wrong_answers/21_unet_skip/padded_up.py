import numpy as np

TOLD = "what comes up has become larger"


class Skip:
    def forward(self, up, copy):
        h, w = up.shape[2:]
        self.i, self.j = (copy.shape[2] - h) // 2, (copy.shape[3] - w) // 2
        self.c, self.shape = up.shape[1], copy.shape
        larger = np.zeros((len(up), self.c, *copy.shape[2:]), dtype=up.dtype)
        larger[:, :, self.i : self.i + h, self.j : self.j + w] = up
        return np.concatenate([larger, copy], axis=1)

    def backward(self, grad):
        h, w = grad.shape[2:]
        grad_copy = np.zeros(self.shape, dtype=grad.dtype)
        grad_copy[:, :, self.i : self.i + h, self.j : self.j + w] = grad[:, self.c :]
        return grad[:, : self.c], grad_copy
