import numpy as np


class Divide:
    def __init__(self):
        self.backward = None

    def forward(self, a, b):
        def backward(grad):
            return np.divide(grad, b), np.negative(grad) * a * np.power(b, -2)

        self.backward = backward
        return np.true_divide(a, b)
