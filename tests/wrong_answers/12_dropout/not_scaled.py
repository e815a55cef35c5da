import numpy as np

TOLD = "have to grow"


class Dropout:
    def __init__(self, p, rng):
        self.p = p
        self.rng = rng
        self.training = True

    def train(self):
        self.training = True

    def eval(self):
        self.training = False

    def forward(self, x):
        if not self.training:
            self.factors = np.ones_like(x)
            return x
        self.factors = (self.rng.random(x.shape) >= self.p).astype(x.dtype)
        return x * self.factors

    def backward(self, grad):
        return grad * self.factors
