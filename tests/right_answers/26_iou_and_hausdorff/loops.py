import math

import numpy as np


def iou(a, b):
    both = either = 0
    for i in range(a.shape[0]):
        for j in range(a.shape[1]):
            both += int(a[i, j] and b[i, j])
            either += int(a[i, j] or b[i, j])
    return both / either if either else 1


def farthest(a, b, spacing):
    largest = 0.0
    for i, j in np.argwhere(a):
        nearest = math.inf
        for k, m in np.argwhere(b):
            nearest = min(nearest, math.hypot((i - k) * spacing[0], (j - m) * spacing[1]))
        largest = max(largest, nearest)
    return largest


def hausdorff(a, b, spacing):
    return max(farthest(a, b, spacing), farthest(b, a, spacing))
