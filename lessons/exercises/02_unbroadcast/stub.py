"""02. The gradient of broadcasting.

NumPy stretches small arrays to fit large ones: (3,) + (2, 3) is (2, 3). In the backward pass this has to
be undone. An element that was used several times collects the gradient of each use: it is their sum.
"""

import numpy as np


def unbroadcast(grad, shape):
    """The gradient of an array of that shape that broadcasting has stretched to grad's shape.

    grad is an array, shape a tuple such that an array of this shape broadcasts to grad.shape.
    Returns an array of the given shape, of grad's dtype: sums over all that was stretched.
    """
    # TODO: axes that broadcasting has put in front: sum over them
    # TODO: axes of size 1 that were stretched: sum over them too, and keep them as axes of size 1
    raise NotImplementedError("unbroadcast")
