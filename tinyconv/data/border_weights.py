"""The U-Net's weight map: pixels between cells that nearly touch count most."""

from __future__ import annotations

from math import ceil
from typing import Any

import numpy as np

from tinyconv.errors import ArgumentError, DtypeError, ShapeError

Array = Any

REACH = 6.0
"""Cells farther from a pixel than this many sigma are left out: they would add less than w0 e^-18."""


def border_weights(
    labels: Array,
    w0: float = 10.0,
    sigma: float = 5.0,
    class_weights: tuple[float, float] | None = None,
) -> Array:
    """The weight of each pixel in the loss of a U-Net (Ronneberger et al. 2015, equation 2).

    ``w(x) = wc(x) + w0 exp(-(d1(x) + d2(x))^2 / (2 sigma^2))``, where wc balances the two classes
    and d1 and d2 are the distances to the nearest and the second nearest cell. A distance is
    from pixel centre to pixel centre, so that of a pixel beside a cell is 1. The second term is
    for background pixels only, those that have to keep cells apart: the paper does not say what
    d1 would be inside of a cell.

    Parameters
    ----------
    labels : array of integers, shape (H, W)
        0 for the background and another number above 0 for each cell; (D, H, W) works as well.
    w0 : float
        The largest weight of a border, at least 0; 10 in the paper.
    sigma : float
        How wide a border is, in pixels, above 0; about 5 in the paper.
    class_weights : (float, float), optional
        wc of background and of cells. If not given, both classes get the same sum, and the mean
        of wc is 1.

    Returns
    -------
    array of float32, shape (H, W)
        For `tinyconv.nn.functional.weighted_pixel_cross_entropy`, or as the `weight` of
        `binary_cross_entropy`.

    Examples
    --------
    >>> import numpy as np
    >>> from tinyconv.data import border_weights
    >>> border_weights(np.array([[1, 0, 2]]), w0=10, sigma=2.0, class_weights=(1.0, 1.0)).round(2).tolist()
    [[1.0, 7.070000171661377, 1.0]]
    """
    where = "border_weights"
    labels = _checked(where, labels)
    w0 = _number(where, "w0", w0, "a number >= 0")
    sigma = _number(where, "sigma", sigma, "a number > 0")
    if sigma == 0:
        raise ArgumentError(where, "sigma", sigma, "a number > 0")
    background = labels == 0
    nearest, second = _two_nearest(labels, REACH * sigma)
    border = w0 * np.exp(-((nearest + second) ** 2) / (2 * sigma**2))
    weights = _class_weights(where, background, class_weights) + np.where(background, border, 0)
    return weights.astype(np.float32)


def _two_nearest(labels: Array, reach: float) -> tuple[Array, Array]:
    """The distances to the nearest and second nearest cell; inf where it is farther than `reach`."""
    from scipy.ndimage import distance_transform_edt, find_objects

    nearest, second = np.full(labels.shape, np.inf), np.full(labels.shape, np.inf)
    if labels.max() > labels.size:  # SciPy's list of objects is as long as the largest number
        numbers, places = np.unique(labels, return_inverse=True)
        labels = places.reshape(labels.shape) + (0 if numbers[0] == 0 else 1)
    labels = labels.astype(np.intp, copy=False)
    margin = ceil(reach)
    for number, box in enumerate(find_objects(labels), start=1):
        if box is None:
            continue
        window = tuple(slice(max(s.start - margin, 0), s.stop + margin) for s in box)
        distance = distance_transform_edt(labels[window] != number)
        distance[distance > reach] = np.inf
        first, other = nearest[window], second[window]
        np.minimum(other, np.maximum(first, distance), out=other)
        np.minimum(first, distance, out=first)
    return nearest, second


def _class_weights(where: str, background: Array, given: Any) -> Array:
    """wc of each pixel."""
    if given is None:
        counts = int(background.sum()), int(background.size - background.sum())
        there = sum(count > 0 for count in counts)
        pair = [background.size / (there * count) if count else 0.0 for count in counts]
    else:
        if not isinstance(given, list | tuple) or len(given) != 2:
            raise ArgumentError(where, "class_weights", repr(given), "(background, cells), two numbers")
        pair = [_number(where, "class_weights", weight, "two numbers >= 0") for weight in given]
    return np.where(background, *pair)


def _checked(where: str, labels: Any) -> Array:
    if not isinstance(labels, np.ndarray):
        raise DtypeError(where, "labels", f"a {type(labels).__name__}", "a NumPy array of integers")
    if labels.dtype.kind not in "iu":
        raise DtypeError(where, "labels", f"of dtype {labels.dtype}", "integers, one for each cell")
    if labels.ndim not in (2, 3) or labels.size == 0:
        raise ShapeError(where, "labels", f"of shape {labels.shape}", "(H, W) or (D, H, W), not empty")
    if labels.min() < 0:
        raise ArgumentError(where, "labels", f"{labels.min()} somewhere", "0 for background, cells above 0")
    return labels


def _number(where: str, argument: str, value: Any, expected: str) -> float:
    """`value`, which must be a finite number >= 0."""
    is_number = isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)
    if not is_number or not 0 <= value < np.inf:
        raise ArgumentError(where, argument, repr(value), expected)
    return float(value)
