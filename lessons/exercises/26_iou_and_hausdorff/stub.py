"""26. IoU and Hausdorff distance.

How good is a segmentation? IoU, intersection over union, asks how much of the area agrees. The Hausdorff
distance asks how far the worst pixel is off: it sees the one wrong pixel at the other end of the image,
which IoU hardly notices. People who compare segmentations look at both.

By hand, in an image of one row: a = [1, 1, 0, 0, 0] and b = [0, 1, 0, 0, 1]. One pixel is in both, three
are in at least one: IoU = 1/3. From a's pixels to the nearest of b it is 1 and 0 pixels, from b's to the
nearest of a 0 and 3. The largest of these is 3; with pixels that are 0.5 mm wide, the Hausdorff distance is
1.5 mm.
"""

import numpy as np


def iou(a, b):
    """Intersection over union of two masks, arrays (H, W) of True and False. It is 1 if both are empty."""
    # TODO
    raise NotImplementedError("iou")


def hausdorff(a, b, spacing):
    """The Hausdorff distance of two masks, in mm.

    a and b are arrays (H, W) of True and False. spacing is (height, width) of a pixel in mm: distances go
    from centre to centre. Take the distance of each pixel of a to the nearest pixel of b, and of each pixel
    of b to the nearest pixel of a: the result is the largest of all of these. If both masks are empty it is
    0, and if one is, it is infinite (`np.inf`). Returns a number.
    """
    # TODO: the empty masks
    # TODO: where are the pixels of a and of b, in mm?
    # TODO: the distance of each to each; for each pixel the nearest; the largest of these, both ways
    raise NotImplementedError("hausdorff")
