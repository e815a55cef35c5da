"""04. An operation and its backward pass.

Every operation of an engine is a pair: forward computes, backward sends gradients back. You write the pair
for the division y = a / b. Backward gets the gradient of the loss with respect to y, and returns those with
respect to a and b. What backward needs of a and b, forward has to keep.
"""

import numpy as np


class Divide:
    """y = a / b for two arrays of the same shape; use a new object for each division.

    Results have the dtype of a and b: float32 for arrays of float32.
    """

    def forward(self, a, b):
        """Compute a / b, and keep what backward will need."""
        # TODO
        raise NotImplementedError("forward")

    def backward(self, grad):
        """The gradients with respect to a and b, of their shape, from that with respect to y."""
        # TODO: the derivative of a / b with respect to a, times grad
        # TODO: the same for b
        raise NotImplementedError("backward")
