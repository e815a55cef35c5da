import numpy as np


def augment(images, masks, size, rng):
    height, width = size
    new_images = np.zeros((images.shape[0], images.shape[1], height, width), images.dtype)
    new_masks = np.zeros((images.shape[0], height, width), masks.dtype)
    for n in range(len(images)):
        top = int(rng.random() * (images.shape[2] - height + 1))
        left = int(rng.random() * (images.shape[3] - width + 1))
        mirrored, added = rng.random() > 0.5, rng.uniform(-0.1, 0.1)
        for i in range(height):
            for j in range(width):
                row, column = top + i, left + (width - 1 - j if mirrored else j)
                new_images[n, :, i, j] = images[n, :, row, column] + added
                new_masks[n, i, j] = masks[n, row, column]
    return [new_images, new_masks]
