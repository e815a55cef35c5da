"""From arrays to pictures: grey, colour and channel-first images as RGB bytes, and resized copies."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyconv.errors import DtypeError, ShapeError
from tinyconv.viz.style import numbers

Array = Any


def to_plane(mask: Any, where: str = "to_plane", argument: str = "mask") -> Array:
    """Drop the axes of length 1 around a plane: (H, W) of (H, W), (1, H, W), (H, W, 1) or (1, 1, H, W).

    Raises
    ------
    ShapeError
        When what is left is not a plane.
    """
    array = np.asarray(mask)
    while array.ndim > 2 and array.shape[0] == 1:
        array = array[0]
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[:, :, 0]
    if array.ndim != 2 or array.size == 0:
        raise ShapeError(where, argument, np.shape(mask), "a plane (H, W)")
    return array


def to_rgb(image: Any, stretch: bool = True, where: str = "to_rgb") -> Array:
    """Turn an image into RGB bytes.

    Parameters
    ----------
    image : array (H, W), (C, H, W) or (H, W, C) with C = 1, 3 or 4
        uint8, bool, or numbers from 0 to 1. A fourth channel (opacity) is left out.
    stretch : bool
        Spread the brightness, all channels alike, over the whole range, so that a dark
        microscope image can be seen; the brightest 0.1 % may saturate.

    Returns
    -------
    rgb : uint8 array (H, W, 3)

    Raises
    ------
    ShapeError, DtypeError
        When `image` is not such an array.

    Examples
    --------
    >>> to_rgb([[0.0, 0.5], [0.25, 1.0]], stretch=False)[:, :, 0].tolist()
    [[0, 128], [64, 255]]
    """
    array = np.asarray(image)
    channels_last = _channels_last(array, where)
    values = numbers(where, "image", channels_last)
    if array.dtype.kind in "iu":
        values = values / (255.0 if array.dtype.itemsize == 1 else np.iinfo(array.dtype).max)
    if not np.isfinite(values).all():
        raise DtypeError(where, "image", "not finite everywhere", "finite numbers")
    if stretch:
        low, high = float(values.min()), float(np.percentile(values, 99.9))
        if high > low:
            values = (values - low) / (high - low)
    pixels = np.rint(np.clip(values, 0.0, 1.0) * 255.0).astype(np.uint8)
    return np.broadcast_to(pixels, (*pixels.shape[:2], 3)).copy()


def _channels_last(array: Array, where: str) -> Array:
    """Order as (H, W, 1) or (H, W, 3), the fourth channel left out."""
    while array.ndim > 3 and array.shape[0] == 1:
        array = array[0]
    if array.ndim == 2:
        array = array[:, :, None]
    elif array.ndim == 3 and _is_channels_first(array.shape):
        array = np.moveaxis(array, 0, -1)
    if array.ndim != 3 or array.shape[2] not in (1, 3, 4) or array.size == 0:
        raise ShapeError(where, "image", array.shape, "(H, W), (C, H, W) or (H, W, C) with C = 1, 3 or 4")
    return array[:, :, :3]


def _is_channels_first(shape: tuple[int, ...]) -> bool:
    """Whether (A, B, C) is (C, H, W); a picture four pixels high with colours last is believed to be one."""
    return shape[0] in (1, 3) or (shape[0] == 4 and shape[2] not in (3, 4))
