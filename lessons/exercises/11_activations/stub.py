"""11. ReLU, leaky ReLU and ELU, with gradients.

Between two layers stands a function with a bend, which is applied to each number alone. Above zero all three
leave x as it is. Below zero

    ReLU         0                       for x = -2:   0
    leaky ReLU   slope · x                             -0.2     (slope 0.1)
    ELU          alpha · (exp(x) - 1)                  -0.865   (alpha 1)

Backward multiplies the gradient from above with the slope of the curve at x, element by element: for
x = 3 and grad = 5 it is 5 in all three, for x = -2 and grad = 5 it is 0, 0.5 and 5 · exp(-2) = 0.677. At
exactly x = 0 there is a bend; take the slope from the left: 0, slope, alpha.
"""

import numpy as np


def relu(x):
    """x where it is above zero, else 0; of x's shape and dtype, as all that follows."""
    # TODO
    raise NotImplementedError("relu")


def relu_backward(grad, x):
    """The gradient with respect to x, from that with respect to relu(x)."""
    # TODO
    raise NotImplementedError("relu_backward")


def leaky_relu(x, slope):
    """x where it is above zero, else slope * x; slope is any number."""
    # TODO
    raise NotImplementedError("leaky_relu")


def leaky_relu_backward(grad, x, slope):
    """The gradient with respect to x, from that with respect to leaky_relu(x, slope)."""
    # TODO
    raise NotImplementedError("leaky_relu_backward")


def elu(x, alpha):
    """x where it is above zero, else alpha * (exp(x) - 1); x may be as large as 1000."""
    # TODO
    raise NotImplementedError("elu")


def elu_backward(grad, x, alpha):
    """The gradient with respect to x, from that with respect to elu(x, alpha)."""
    # TODO
    raise NotImplementedError("elu_backward")
