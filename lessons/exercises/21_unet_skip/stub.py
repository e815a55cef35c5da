"""21. U-Net's skip: crop and stack.

On its way down a U-Net keeps copies of its maps, and on the way up it stacks them with what comes from
below: "what" comes from below, "where" from the copy. The original U-Net has no padding, so that the copy
is larger than what comes up: its middle is cut out. You write the forward and the backward pass. Lesson 16
has the whole net.

By hand: up is one map of 1x1, [[10]], and copy one map of 3x3 with the numbers 1 to 9 in rows. The middle
of the copy is 5, so the result is two maps of 1x1, 10 and 5. If their gradients are 7 and 8, up gets 7, and
copy gets 8 in the middle and 0 around it, because what was cut off has no influence.
"""

import numpy as np


class Skip:
    """Stack up with the middle of copy; use a new object for each call.

    Results have the dtype of up and copy: float32 for arrays of float32.
    """

    def forward(self, up, copy):
        """Take up (N, C, H, W) and copy (N, D, H', W'), which is as large or larger: H' >= H, W' >= W.

        Returns (N, C + D, H, W): first up, then the middle of copy. If the rows to cut off are an odd number,
        one more is cut off at the bottom than at the top; and one more column at the right than at the left.
        """
        # TODO: where does the middle begin?
        # TODO: cut it out, stack, and keep what backward will need
        raise NotImplementedError("forward")

    def backward(self, grad):
        """The gradients of up and copy, of their shapes, from that of the result."""
        # TODO: up's channels come first
        # TODO: the others go back to where they were cut out, and there are zeros around them
        raise NotImplementedError("backward")
