"""12. Dropout in training and in evaluation: a solution."""

import numpy as np


class Dropout:
    """Dropout with probability p, from 0 to less than 1; rng is a numpy.random.Generator."""

    def __init__(self, p, rng):
        self.p = p
        self.rng = rng
        self.training = True

    def train(self):
        """From now on, drop."""
        self.training = True

    def eval(self):
        """From now on, leave everything as it is."""
        self.training = False

    def forward(self, x):
        """x with some elements dropped and the others scaled, or x itself."""
        if self.training:
            kept = self.rng.random(x.shape) >= self.p
            self.factors = (kept / (1 - self.p)).astype(x.dtype)
        else:
            self.factors = np.ones_like(x)
        return x * self.factors

    def backward(self, grad):
        """The gradient with respect to the x of the last call of forward."""
        return grad * self.factors
