import numpy as np

TOLD = "not every place of the window"


def augment(images, masks, size, rng):
    n, c, h, w = images.shape
    height, width = size
    out = np.zeros((n, c, height, width), dtype=images.dtype)
    out_masks = np.zeros((n, height, width), dtype=masks.dtype)
    for k in range(n):
        i, j = rng.integers(0, max(h - height, 1)), rng.integers(0, max(w - width, 1))
        image = images[k, :, i : i + height, j : j + width]
        mask = masks[k, i : i + height, j : j + width]
        if rng.random() < 0.5:
            image = image[:, :, ::-1]
            mask = mask[:, ::-1]
        out[k] = image + rng.uniform(-0.1, 0.1)
        out_masks[k] = mask
    return out, out_masks
