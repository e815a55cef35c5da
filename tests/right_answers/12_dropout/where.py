import numpy as np


class Dropout:
    def __init__(self, p, rng):
        self.p, self.rng, self.training = p, rng, True

    def train(self):
        self.training = True

    def eval(self):
        self.training = False

    def forward(self, x):
        self.gone = self.rng.uniform(size=x.shape) < self.p if self.training else None
        return x if self.gone is None else np.where(self.gone, 0, x / (1 - self.p))

    def backward(self, grad):
        return grad if self.gone is None else np.where(self.gone, 0, grad / (1 - self.p))
