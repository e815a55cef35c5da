"""01. A neuron.

A neuron weighs its inputs, adds a bias, and decides: y = f(w x + b). Here f is a step, 1 where the
sum is above zero and 0 elsewhere. Lesson 01 shows one at work.
"""

import numpy as np


def neuron(x, w, b):
    """The answers of one neuron to a batch of inputs.

    x has shape (N, D): N inputs of D numbers each. w has shape (D,), b is a number.
    Returns an array of shape (N,), of x's dtype, with 1 where w x + b is above zero, else 0.
    """
    # TODO: the weighted sum of each row of x, plus the bias
    # TODO: the step: 1 where the sum is above zero, 0 where it is not
    raise NotImplementedError("neuron")
