import numpy as np


class Skip:
    def forward(self, up, copy):
        self.up, self.copy = up.shape, copy.shape
        y = np.zeros((up.shape[0], up.shape[1] + copy.shape[1], up.shape[2], up.shape[3]), up.dtype)
        for n, c, i, j in np.ndindex(y.shape):
            y[n, c, i, j] = up[n, c, i, j] if c < self.up[1] else copy[self.source(n, c, i, j)]
        return y

    def source(self, n, c, i, j):
        return n, c - self.up[1], i + (self.copy[2] - self.up[2]) // 2, j + (self.copy[3] - self.up[3]) // 2

    def backward(self, grad):
        grads = np.zeros(self.up, grad.dtype), np.zeros(self.copy, grad.dtype)
        for n, c, i, j in np.ndindex(grad.shape):
            if c < self.up[1]:
                grads[0][n, c, i, j] = grad[n, c, i, j]
            else:
                grads[1][self.source(n, c, i, j)] = grad[n, c, i, j]
        return grads
