import numpy as np

TOLD = "always the same number of elements"


class Dropout:
    def __init__(self, p, rng):
        self.p, self.rng, self.training = p, rng, True

    def train(self):
        self.training = True

    def eval(self):
        self.training = False

    def forward(self, x):
        self.factors = np.ones_like(x)
        if self.training:  # exactly a share p, shuffled: not a lot for each
            n = x.size
            keep = np.ones(n)
            keep[: int(round(self.p * n))] = 0
            self.factors = (self.rng.permutation(keep).reshape(x.shape) / (1 - self.p)).astype(x.dtype)
        return x * self.factors

    def backward(self, grad):
        return grad * self.factors
