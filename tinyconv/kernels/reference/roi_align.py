r"""RoIAlign: regions of images, given by boxes, resampled to one size (He et al. 2017, Mask R-CNN).

A box is cut into (P, Q) bins, a bin is looked at in a regular grid of points, each point is interpolated
between the four pixels around it, and the bin is the mean of its points. Nothing is rounded: that
is what the older RoI pooling did, and what masks suffered from.

Interpolation in two directions is one after the other, and so is the mean over a grid. So with
A (P, H), the weights of the rows of pixels in each row of bins, and B (Q, W), those of the columns,
a region is two matrix products::

    y = A x B^T        and the gradient of x is        A^T g B

Shapes: x (N, C, H, W), boxes (K, 5): the number of the image, then x1, y1, x2, y2; y (K, C, P, Q). The
arithmetic is that of torchvision's ``roi_align``.
"""

from __future__ import annotations

from math import ceil
from typing import Any

import numpy as np

from tinyconv.device import array_module
from tinyconv.kernels.reference.elementwise import quiet

Array = Any
Sizes = tuple[int, ...]


@quiet
def roi_align(x: Array, boxes: Array, size: Sizes, scale: float, samples: int, aligned: bool) -> Array:
    """The regions of x (N, C, H, W) in `boxes` (K, 5), each resampled to `size`: (K, C, *size).

    `scale` is how many pixels of x one unit of the boxes is. `samples` points in each direction are looked at
    in a bin; 0 means as many as the bin has pixels, rounded up. `aligned` says that the centre of the first
    pixel is at 1/2 (else at 0, and a box is at least one pixel long).

    Examples
    --------
    >>> import numpy as np
    >>> x, boxes = np.arange(16.0).reshape(1, 1, 4, 4), np.array([[0, 1.0, 1.0, 3.0, 3.0]])
    >>> roi_align(x, boxes, (2, 2), 1.0, 1, True).tolist()
    [[[[5.0, 6.0], [9.0, 10.0]]]]
    """
    xp = array_module(x)
    y = xp.zeros((len(boxes), x.shape[1], *size), x.dtype)
    for k, (image, *maps) in enumerate(_maps(boxes, x.shape, size, scale, samples, aligned)):
        rows, columns = (xp.asarray(part, x.dtype) for part in maps)
        y[k] = rows @ x[image] @ columns.T
    return y


@quiet
def roi_align_backward(
    grad: Array, boxes: Array, shape: Sizes, scale: float, samples: int, aligned: bool
) -> Array:
    """The adjoint of `roi_align`: `grad` (K, C, P, Q) added up in an array of `shape` (N, C, H, W)."""
    xp = array_module(grad)
    x = xp.zeros(shape, grad.dtype)
    for k, (image, *maps) in enumerate(_maps(boxes, shape, grad.shape[2:], scale, samples, aligned)):
        rows, columns = (xp.asarray(part, grad.dtype) for part in maps)
        x[image] += rows.T @ grad[k] @ columns
    return x


def _maps(boxes: Array, shape: Sizes, size: Sizes, scale: float, samples: int, aligned: bool) -> Any:
    """For each box the number of its image and its weights A and B."""
    host = boxes if isinstance(boxes, np.ndarray) else boxes.get()
    shift = 0.5 if aligned else 0.0
    for image, *corners in host.astype(np.float64):
        x1, y1, x2, y2 = (corner * scale - shift for corner in corners)
        sides = [(y1, y2 - y1), (x1, x2 - x1)]
        if not aligned:
            sides = [(start, max(length, 1.0)) for start, length in sides]
        yield (
            int(image),
            *(
                bin_weights(start, length, bins, pixels, samples)
                for (start, length), bins, pixels in zip(sides, size, shape[2:], strict=True)
            ),
        )


def bin_weights(start: float, length: float, bins: int, pixels: int, samples: int) -> np.ndarray:
    """How much each of the pixels of one direction counts in each bin: (bins, pixels).

    Points more than a pixel outside count as 0, those nearer as the border pixel.

    Examples
    --------
    >>> bin_weights(0.5, 2.0, 2, 4, 2).tolist()
    [[0.125, 0.75, 0.125, 0.0], [0.0, 0.125, 0.75, 0.125]]
    """
    weights = np.zeros((bins, pixels))
    count = samples if samples > 0 else ceil(length / bins)
    if count < 1:
        return weights
    steps = np.arange(bins)[:, None] + (np.arange(count) + 0.5) / count
    points = start + steps * (length / bins)
    inside = (points >= -1) & (points <= pixels)
    points = np.where(inside, np.clip(points, 0, pixels - 1), 0)
    before = np.floor(points).astype(np.int64)
    share = points - before
    rows = np.broadcast_to(np.arange(bins)[:, None], points.shape)
    np.add.at(weights, (rows, before), inside * (1 - share) / count)
    np.add.at(weights, (rows, np.minimum(before + 1, pixels - 1)), inside * share / count)
    return weights
