import numpy as np

TOLD = "right along one axis"


class Skip:
    """Stack up with the middle of copy; use a new object for each call."""

    def forward(self, up, copy):
        """Stack up and the middle of copy."""
        height, width = up.shape[2:]
        top, left = (copy.shape[2] - height) // 2, (copy.shape[3] - width + 1) // 2
        self.channels, self.shape = up.shape[1], copy.shape
        self.middle = np.s_[:, :, top : top + height, left : left + width]
        return np.concatenate([up, copy[self.middle]], axis=1)

    def backward(self, grad):
        """The gradients of up and copy, of their shapes, from that of the result."""
        grad_copy = np.zeros(self.shape, dtype=grad.dtype)
        grad_copy[self.middle] = grad[:, self.channels :]
        return grad[:, : self.channels], grad_copy
