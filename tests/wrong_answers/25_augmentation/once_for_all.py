import numpy as np

TOLD = "all images get the same"


def augment(images, masks, size, rng):
    n, c, h, w = images.shape
    height, width = size
    out = np.zeros((n, c, height, width), dtype=images.dtype)
    out_masks = np.zeros((n, height, width), dtype=masks.dtype)
    i, j = rng.integers(0, h - height + 1), rng.integers(0, w - width + 1)
    mirrored, brighter = rng.random() < 0.5, rng.uniform(-0.1, 0.1)
    for k in range(n):
        image = images[k, :, i : i + height, j : j + width]
        mask = masks[k, i : i + height, j : j + width]
        if mirrored:
            image = image[:, :, ::-1]
            mask = mask[:, ::-1]
        out[k] = image + brighter
        out_masks[k] = mask
    return out, out_masks
