"""25. Augmentation that keeps image and mask aligned: a solution."""

import numpy as np


def augment(images, masks, size, rng):
    """Cut a random window out of each image and its mask, mirror half of them, change the brightness."""
    height, width = size
    new_images = np.zeros((*images.shape[:2], height, width), dtype=images.dtype)
    new_masks = np.zeros((len(masks), height, width), dtype=masks.dtype)
    for n in range(len(images)):
        top = rng.integers(0, images.shape[2] - height + 1)
        left = rng.integers(0, images.shape[3] - width + 1)
        image = images[n, :, top : top + height, left : left + width]
        mask = masks[n, top : top + height, left : left + width]
        if rng.random() < 0.5:
            image, mask = image[:, :, ::-1], mask[:, ::-1]
        new_images[n] = image + rng.uniform(-0.1, 0.1)
        new_masks[n] = mask
    return new_images, new_masks
