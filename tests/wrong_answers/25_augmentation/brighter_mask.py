import numpy as np

TOLD = "it stays what it is, integers"


def augment(images, masks, size, rng):
    n, c, h, w = images.shape
    height, width = size
    out = np.zeros((n, c, height, width), dtype=images.dtype)
    out_masks = np.zeros((n, height, width), dtype=images.dtype)
    for k in range(n):
        i, j = rng.integers(0, h - height + 1), rng.integers(0, w - width + 1)
        image = images[k, :, i : i + height, j : j + width]
        mask = masks[k, i : i + height, j : j + width]
        if rng.random() < 0.5:
            image = image[:, :, ::-1]
            mask = mask[:, ::-1]
        brighter = rng.uniform(-0.1, 0.1)
        out[k], out_masks[k] = image + brighter, mask + brighter
    return out, out_masks
