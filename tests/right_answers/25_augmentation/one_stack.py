import numpy as np
from numpy.lib.stride_tricks import sliding_window_view


def augment(images, masks, size, rng):
    new_images = np.empty(images.shape[:2] + tuple(size), images.dtype)
    new_masks = np.empty((len(masks),) + tuple(size), masks.dtype)
    for n, (image, mask) in enumerate(zip(images, masks, strict=True)):
        stacked = np.concatenate([image.astype(float), mask[None].astype(float)])
        if rng.choice([True, False]):
            stacked = np.flip(stacked, axis=2)
        windows = sliding_window_view(stacked, size, axis=(1, 2))
        window = windows[:, rng.choice(windows.shape[1]), rng.choice(windows.shape[2])]
        new_images[n] = window[:-1] + (rng.random() - 0.5) / 5
        new_masks[n] = np.rint(window[-1])
    return new_images, new_masks
