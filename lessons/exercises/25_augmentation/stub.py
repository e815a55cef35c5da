"""25. Augmentation that keeps image and mask aligned.

A cell that is mirrored is still a cell, and one that lies further left too. So each time that an image is
shown, it may be cut and mirrored in another way, and a small set of images becomes a large one. For
segmentation the mask has to go through exactly the same, or the network learns that cells are where they
are not. What changes brightness only is for the image: a brighter cell does not cover more.

By hand: cut a window of one row and two columns out of the image [[1, 2, 3]], at column 1, mirrored, 0.05
brighter: that is [[3.05, 2.05]]. If the mask was [[0, 1, 0]], it has become [[0, 1]].
"""

import numpy as np


def augment(images, masks, size, rng):
    """Cut a random window out of each image and its mask, mirror half of them, change the brightness.

    images has shape (N, C, H, W), masks (N, H, W) holds integers. size is (height, width) of the windows,
    at most (H, W). rng is a `numpy.random.Generator`, the only source of chance. For each image anew:

    - the window may be anywhere, each place is as likely as any other;
    - with probability 1/2, the window is mirrored left to right;
    - one random number from -0.1 to 0.1 is added to all numbers of the image.

    Returns (images, masks): (N, C, height, width) of images' dtype and (N, height, width) of masks' dtype.
    """
    # TODO: new arrays; then for each image: draw row, column, mirrored or not, brightness
    # TODO: the same window of the image and of the mask
    raise NotImplementedError("augment")
