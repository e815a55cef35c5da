import numpy as np

TOLD = "the two ways are added"


def iou(a, b):
    union = np.logical_or(a, b).sum()
    if union == 0:
        return 1.0
    return np.logical_and(a, b).sum() / union


def hausdorff(a, b, spacing):
    if not a.any() and not b.any():
        return 0.0
    if not a.any() or not b.any():
        return np.inf
    p = np.argwhere(a) * np.array(spacing)
    q = np.argwhere(b) * np.array(spacing)
    d = np.linalg.norm(p[:, None] - q[None], axis=2)
    return d.min(axis=1).max() + d.min(axis=0).max()
