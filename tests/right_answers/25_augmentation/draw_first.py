import numpy as np


def augment(images, masks, size, rng):
    n = len(images)
    tops = rng.integers(images.shape[2] - size[0], size=n, endpoint=True)
    lefts = rng.integers(images.shape[3] - size[1], size=n, endpoint=True)
    mirrored = rng.integers(0, 2, n)
    added = rng.uniform(-0.1, 0.1, (n, 1, 1, 1)).astype(images.dtype)
    rows = tops[:, None] + np.arange(size[0])
    columns = lefts[:, None] + np.arange(size[1])
    columns = np.where(mirrored[:, None], columns[:, ::-1], columns)
    every = np.arange(n)[:, None, None]
    rows, columns = rows[:, :, None], columns[:, None, :]
    new_masks = masks[every, rows, columns]
    return np.moveaxis(images[every, :, rows, columns], -1, 1) + added, new_masks
