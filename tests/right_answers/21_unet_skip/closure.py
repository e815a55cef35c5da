import numpy as np


class Skip:
    def forward(self, up, copy):
        extra = [large - small for large, small in zip(copy.shape, up.shape, strict=True)]
        sides = [(0, 0), (0, 0), *((n // 2, n - n // 2) for n in extra[2:])]
        inside = tuple(slice(a, n - b) for (a, b), n in zip(sides, copy.shape, strict=True))

        def backward(grad):
            first, second = np.split(grad, [up.shape[1]], axis=1)
            return first, np.pad(second, sides)

        self.backward = backward
        return np.hstack([up, copy[inside]])
