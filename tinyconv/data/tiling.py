"""Prediction on images of any size, in overlapping tiles.

A U-Net halves its input several times, so height and width must be multiples of a power of
two, and an activation map of a large image may not fit in memory. Here the image is padded
by reflection, cut into tiles that overlap, and the predictions are averaged with weights
that fall smoothly to the tile's border, where a prediction knows least of its surroundings.
The overlap-tile strategy is that of Ronneberger et al., U-Net (2015), figure 2.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np

from tinyconv.errors import ArgumentError, ShapeError

Array = Any
Predict = Callable[[Array], Array]


def predict_tiled(
    predict: Predict,
    image: Array,
    tile: int = 256,
    overlap: int = 32,
    multiple: int = 16,
    batch_size: int = 4,
) -> Array:
    """Predict an image of any size.

    Parameters
    ----------
    predict : callable
        Takes an array (N, C, h, w), h and w multiples of `multiple` and at most `tile`;
        returns an array (N, 1, h, w) or (N, h, w).
    image : array (C, H, W)
    tile : int
        Height and width of a tile, a multiple of `multiple`; a smaller image is one tile.
    overlap : int
        Pixels that neighbouring tiles share, less than `tile`.
    multiple : int
        What height and width of `predict`'s input must be divisible by.
    batch_size : int
        Tiles per call of `predict`.

    Returns
    -------
    array (H, W), float32

    Raises
    ------
    ShapeError
        If the image is not (C, H, W), or `predict` returns another shape than said above.
    ArgumentError
        If `tile`, `overlap`, `multiple` and `batch_size` do not fit together.

    Examples
    --------
    >>> import numpy as np
    >>> image = np.random.default_rng(0).random((3, 100, 300), dtype=np.float32)
    >>> mean = predict_tiled(lambda tiles: tiles.mean(axis=1), image, tile=64, overlap=16)
    >>> bool(np.abs(mean - image.mean(axis=0)).max() < 1e-6)
    True
    """
    _check_arguments(image, tile, overlap, multiple, batch_size)
    height, width = image.shape[1:]
    padded = _pad_to_multiple(image, multiple)
    size = (min(tile, padded.shape[1]), min(tile, padded.shape[2]))
    corners = list(
        product(*(_starts(full, n, overlap) for full, n in zip(padded.shape[1:], size, strict=True)))
    )
    weight = _window(size[0], overlap)[:, None] * _window(size[1], overlap)
    total = np.zeros(padded.shape[1:])
    weights = np.zeros(padded.shape[1:])
    for first in range(0, len(corners), batch_size):
        some = corners[first : first + batch_size]
        windows = [(slice(top, top + size[0]), slice(left, left + size[1])) for top, left in some]
        predicted = _predict_planes(predict, np.stack([padded[(..., *window)] for window in windows]))
        for window, plane in zip(windows, predicted, strict=True):
            total[window] += plane * weight
            weights[window] += weight
    return (total / weights)[:height, :width].astype(np.float32)


def _predict_planes(predict: Predict, tiles: Array) -> Array:
    """Call `predict`; its result as (N, h, w)."""
    count, _, height, width = tiles.shape
    predicted = np.asarray(predict(tiles))
    if predicted.shape not in ((count, 1, height, width), (count, height, width)):
        raise ShapeError(
            "predict_tiled", "the result of predict", predicted.shape, f"{(count, 1, height, width)}"
        )
    return predicted.reshape(count, height, width)


def _pad_to_multiple(image: Array, multiple: int) -> Array:
    """Extend (C, H, W) below and to the right by reflection until `multiple` divides H and W."""
    missing = [-n % multiple for n in image.shape[1:]]
    return np.pad(image, [(0, 0), (0, missing[0]), (0, missing[1])], mode="reflect")


def _starts(full: int, size: int, overlap: int) -> list[int]:
    """First pixels of the tiles along one side; the last tile is moved back to end with the image."""
    last = full - size
    return [*range(0, last, max(size - overlap, 1)), last]


def _window(size: int, overlap: int) -> Array:
    """Weights (size,): 1 inside, falling as a squared sine over `overlap` pixels at both ends."""
    from_border = np.minimum(np.arange(size), np.arange(size)[::-1]) + 0.5
    share = np.minimum(from_border / max(overlap, 0.5), 1)
    return np.sin(share * np.pi / 2) ** 2


def _check_arguments(image: Array, tile: int, overlap: int, multiple: int, batch_size: int) -> None:
    if image.ndim != 3 or 0 in image.shape:
        raise ShapeError("predict_tiled", "image", image.shape, "(C, H, W), none of them 0")
    if multiple < 1:
        raise ArgumentError("predict_tiled", "multiple", multiple, "at least 1")
    if tile < 1 or tile % multiple:
        raise ArgumentError("predict_tiled", "tile", tile, f"a multiple of {multiple}")
    if not 0 <= overlap < tile:
        raise ArgumentError("predict_tiled", "overlap", overlap, f"0 to {tile - 1}")
    if batch_size < 1:
        raise ArgumentError("predict_tiled", "batch_size", batch_size, "at least 1")
