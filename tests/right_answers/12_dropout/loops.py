import numpy as np


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
        y = np.array(x)
        self.dropped = []
        if not self.training:
            self.factor = 1
            return y
        self.factor = 1 / (1 - self.p)
        y *= self.factor
        for index in np.ndindex(x.shape):
            if self.rng.random() < self.p:
                self.dropped.append(index)
                y[index] = 0
        return y

    def backward(self, grad):
        back = np.array(grad) * self.factor
        for index in self.dropped:
            back[index] = 0
        return back
