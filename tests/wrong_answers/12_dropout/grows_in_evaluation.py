import numpy as np

TOLD = "nothing is missing there"


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
        self.factors = np.full_like(x, 1 / (1 - self.p))
        if self.training:
            self.factors = self.factors * (self.rng.random(x.shape) >= self.p)
        return x * self.factors

    def backward(self, grad):
        return grad * self.factors
