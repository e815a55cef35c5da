import numpy as np


def iou(a, b):
    counts = np.bincount(a.ravel().astype(int) + b.ravel(), minlength=3)
    return counts[2] / (counts[1] + counts[2]) if counts[1] + counts[2] > 0 else 1.0


def distance_to(mask, spacing):
    """At each place of the image, how far the nearest pixel of the mask is."""
    rows, columns = np.indices(mask.shape)
    nearest = np.full(mask.shape, np.inf)
    for i, j in zip(*np.nonzero(mask), strict=True):
        away = ((rows - i) * spacing[0]) ** 2 + ((columns - j) * spacing[1]) ** 2
        nearest = np.minimum(nearest, away)
    return np.sqrt(nearest)


def hausdorff(a, b, spacing):
    to_a, to_b = distance_to(a, spacing), distance_to(b, spacing)
    return np.maximum(np.max(to_b[a], initial=0), np.max(to_a[b], initial=0))
