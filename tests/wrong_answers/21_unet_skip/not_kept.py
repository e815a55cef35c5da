import numpy as np

TOLD = "forward has not kept"


class Skip:
    def forward(self, up, copy):
        h, w = up.shape[2:]
        self.i, self.j = (copy.shape[2] - h) // 2, (copy.shape[3] - w) // 2
        self.c = up.shape[1]
        part = copy[:, :, self.i : self.i + h, self.j : self.j + w]
        return np.concatenate([up, part], axis=1)

    def backward(self, grad):
        h, w = grad.shape[2:]
        grad_copy = np.zeros(self.shape, dtype=grad.dtype)
        grad_copy[:, :, self.i : self.i + h, self.j : self.j + w] = grad[:, self.c :]
        return grad[:, : self.c], grad_copy
