"""22. The Dice loss and its gradient.

A lesion covers one pixel in a hundred, and a network that says "nothing there" is right about 99 of 100.
The Dice coefficient does not let it get away with that: it compares the overlap with the two sizes. With
probabilities p instead of yes and no it has a gradient, and 1 - D is a loss. Lesson 17 shows what it does.

By hand, for one image of two pixels with p = [0.5, 0.25], the mask t = [1, 0] and smooth = 0: the overlap
is 0.5 * 1 + 0.25 * 0 = 0.5, the sizes are 0.75 and 1, so D = 2 * 0.5 / 1.75 = 4/7, and the loss is 3/7. If
the second p grows, only the sum below the line grows: D falls, the loss rises, the gradient there is
positive.
"""

import numpy as np


def dice_loss(p, t, smooth):
    """The loss, and its gradient with respect to p.

    p has shape (N, H, W): probabilities. t has the same shape and holds 0 and 1: the masks. N is at least 1.
    For each image D = (2 sum(p t) + smooth) / (sum(p) + sum(t) + smooth), with sums over its pixels. The
    number smooth >= 0 makes D = 1 for an empty mask that is predicted to be empty. The loss is the mean of
    1 - D over the images. Returns (loss, grad): a number, and an array of p's shape and dtype.
    """
    # TODO: for each image the overlap, and the two sums
    # TODO: the loss: the mean over the images
    # TODO: the gradient: D is a fraction, and p is above and below the line
    raise NotImplementedError("dice_loss")
