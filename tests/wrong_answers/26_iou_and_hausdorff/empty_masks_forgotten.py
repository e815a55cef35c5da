import numpy as np

TOLD = "no nearest pixel in an empty mask"


def iou(a, b):
    union = np.logical_or(a, b).sum()
    if union == 0:
        return 1.0
    return np.logical_and(a, b).sum() / union


def hausdorff(a, b, spacing):
    p = np.argwhere(a) * np.array(spacing)
    q = np.argwhere(b) * np.array(spacing)
    d = np.linalg.norm(p[:, None] - q[None], axis=2)
    return max(d.min(axis=1).max(), d.min(axis=0).max())
