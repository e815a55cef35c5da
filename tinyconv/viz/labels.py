"""A label for each pixel, as a picture: a colour for each class."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyconv.errors import ArgumentError
from tinyconv.viz.images import to_plane
from tinyconv.viz.style import BLACK, BLUE, GREEN, ORANGE, PURPLE, SKY_BLUE, VERMILLION, YELLOW, rgb

Array = Any

COLOURS = (BLACK, SKY_BLUE, ORANGE, GREEN, PURPLE, YELLOW, VERMILLION, BLUE, "#FFFFFF")
"""Of class 0, the background, and of the others."""


def label_image(labels: Any) -> Array:
    """Colour each pixel by its class; class 0 is black.

    Parameters
    ----------
    labels : integer or bool array (H, W)
        From 0 to 8.

    Returns
    -------
    rgb : uint8 array (H, W, 3)

    Raises
    ------
    ShapeError, ArgumentError
        When `labels` is not such an array.

    Examples
    --------
    >>> label_image([[0, 1]]).tolist() == [[[0, 0, 0], rgb(SKY_BLUE).tolist()]]
    True
    """
    plane = to_plane(labels, "label_image", "labels")
    if plane.dtype.kind not in "biu" or plane.min() < 0 or plane.max() >= len(COLOURS):
        found = f"of dtype {plane.dtype}, from {plane.min()} to {plane.max()}"
        raise ArgumentError("label_image", "labels", found, f"integers from 0 to {len(COLOURS) - 1}")
    return np.stack([rgb(colour) for colour in COLOURS])[plane.astype(np.int64)]
