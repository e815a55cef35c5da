"""24. A step with momentum, and a step of Adam.

The gradient says which way is down; an optimiser decides how far to go. Plain descent takes lr times the
gradient, and zigzags in a narrow valley. With momentum the steps before are remembered, like a ball that
rolls. Adam also remembers how large the gradients were, and divides by it: every weight takes steps of
about lr.

By hand, for one weight w = 1 with gradient 0.5. Momentum 0.9, lr = 0.1, velocity 2: the velocity becomes
0.9 * 2 + 0.5 = 2.3, and w becomes 1 - 0.1 * 2.3 = 0.77. Adam's first step, with averages 0 and betas 0.9
and 0.999: the averages become 0.05 and 0.00025. They are too small, as they began at 0; divided by 1 - 0.9
and 1 - 0.999 they are 0.5 and 0.25, and w becomes 1 - 0.1 * 0.5 / 0.5 = 0.9.
"""

import numpy as np


def momentum_step(w, grad, velocity, lr, momentum):
    """One step with momentum: v = momentum v + grad, then w = w - lr v.

    w, grad and velocity are arrays of one shape, which must stay as they are; lr and momentum are numbers.
    Returns (w, velocity): new arrays, of w's dtype; with float32 arrays nothing may become float64.
    """
    # TODO
    raise NotImplementedError("momentum_step")


def adam_step(w, grad, mean, square, step, lr, beta1, beta2, eps):
    """One step of Adam: w = w - lr m / (root of s + eps), with corrected averages m and s.

    mean and square are running averages of the gradient and of its square: beta of what they were, and
    1 - beta of the new value. step counts from 1: m is mean / (1 - beta1 to the power of step); s likewise.
    Returns (w, mean, square): new arrays, of w's dtype; the averages as they are without the correction.
    """
    # TODO: the two averages
    # TODO: their corrected values, for this step only
    # TODO: the step
    raise NotImplementedError("adam_step")
