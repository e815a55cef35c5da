"""What transforms do: the image as it is, then as each of them draws it, with the outline of its mask."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tinyconv.viz.classification import titled_images
from tinyconv.viz.segmentation import overlay

Array = Any
Figure = Any


def augmentation_sheet(
    image: Array,
    mask: Array,
    transforms: Mapping[str, Any],
    seeds: Sequence[int] = (0, 1, 2),
    path: str | os.PathLike[str] | None = None,
) -> Figure:
    """Draw an image and its mask, and what transforms make of them.

    Parameters
    ----------
    image : array (C, H, W) or (C, D, H, W), C = 1 or 3
        From 0 to 1. Of a volume the middle slice is shown.
    mask : array (K, H, W) or (K, D, H, W)
        All channels together are outlined.
    transforms : dict of str to transform
        By the names that stand over the pictures; see `tinyconv.data.transforms`.
    seeds : sequence of int
        Each transform is drawn once for each.
    path : optional
        Where to save the figure (.png, .pdf, .svg).

    Returns
    -------
    figure : matplotlib.figure.Figure
        The image itself first, then a picture for each transform and seed. Below 0 is black, above 1 white.
    """
    pictures, titles = [_picture(image, mask)], ["as it is"]
    for name, transform in transforms.items():
        for seed in seeds:
            pictures.append(_picture(*transform(image, mask, np.random.default_rng(seed))))
            titles.append(f"{name}, seed {seed}" if len(seeds) > 1 else name)
    return titled_images(pictures, titles, path, columns=len(seeds) if len(seeds) > 1 else 4)


def _picture(image: Array, mask: Array) -> Array:
    """RGB from 0 to 1, (3, H, W), with the outline of the mask."""
    if image.ndim == 4:
        middle = image.shape[1] // 2
        image, mask = image[:, middle], mask[:, middle]
    picture = overlay(image.clip(0, 1), (mask > 0).any(axis=0), stretch=False)
    return picture.transpose(2, 0, 1) / 255
