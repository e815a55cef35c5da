"""12. Dropout in training and in evaluation.

In training each number is set to zero with probability p, by a lot of its own. The others are divided by 1
- p, so that the sum stays what it was on average. In evaluation nothing is dropped and nothing is scaled.
With p = 0.5:

    x                 2   -4    6    1
    lots          keep  drop  drop  keep
    in training       4    0    0    2          in evaluation    2  -4  6  1

A number that was dropped has no influence on the loss: its gradient is zero. One that was kept had the
factor 1 / (1 - p), and its gradient gets this factor as well. With grad = 10 20 30 40 it is 20 0 0 80.
"""

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
        """x with some elements dropped and the others scaled, or x itself; of x's shape and dtype.

        x may have any shape. Take new lots from self.rng in each call, one for each element.
        """
        # TODO: in training draw lots, and keep what backward will need
        # TODO: in evaluation return x
        raise NotImplementedError("forward")

    def backward(self, grad):
        """The gradient with respect to the x of the last call of forward; of grad's shape and dtype."""
        # TODO: the same elements as in forward, with the same factor
        raise NotImplementedError("backward")
