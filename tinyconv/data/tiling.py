"""Prediction on images and volumes of any size, in overlapping tiles.

A U-Net halves its input several times, so its sides must be multiples of a power of two, and
an activation map of a large image may not fit in memory. Here the image is padded by
reflection, cut into tiles that overlap, and the predictions are averaged with weights
that fall smoothly to the tile's border, where a prediction knows least of its surroundings.
The overlap-tile strategy is that of Ronneberger et al., U-Net (2015), figure 2.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from itertools import product
from typing import Any

import numpy as np

from tinyconv.errors import ArgumentError, ShapeError
from tinyconv.ops._checks import is_int

Array = Any
Predict = Callable[[Array], Array]
Sizes = int | Sequence[int]


def predict_tiled(
    predict: Predict,
    image: Array,
    tile: Sizes = 256,
    overlap: Sizes = 32,
    multiple: Sizes = 16,
    batch_size: int = 4,
) -> Array:
    """Predict an image, or a volume, of any size.

    Parameters
    ----------
    predict : callable
        Takes an array (N, C, \\*sides) whose sides are multiples of `multiple` and at most `tile`;
        returns an array (N, K, \\*sides), or (N, \\*sides).
    image : array (C, H, W) or (C, D, H, W)
    tile : int, or one per side
        Sides of a tile, multiples of `multiple`; a smaller image is one tile.
    overlap : int, or one per side
        Pixels that neighbouring tiles share, less than `tile`.
    multiple : int, or one per side
        What the sides of `predict`'s input must be divisible by.
    batch_size : int
        Tiles per call of `predict`.

    Returns
    -------
    array (K, H, W), or (K, D, H, W), float32
        Without K where `predict` gives none.

    Raises
    ------
    ShapeError
        If the image is not (C, H, W) or (C, D, H, W), or `predict` returns another shape than said above.
    ArgumentError
        If `tile`, `overlap`, `multiple` and `batch_size` do not fit together.

    Examples
    --------
    >>> import numpy as np
    >>> image = np.random.default_rng(0).random((3, 100, 300), dtype=np.float32)
    >>> mean = predict_tiled(lambda tiles: tiles.mean(axis=1), image, tile=64, overlap=16)
    >>> bool(np.abs(mean - image.mean(axis=0)).max() < 1e-6)
    True
    >>> volume = np.zeros((1, 20, 30, 40), np.float32)
    >>> predict_tiled(lambda tiles: tiles, volume, tile=(16, 32, 32), overlap=(4, 8, 8)).shape
    (1, 20, 30, 40)
    """
    if image.ndim not in (3, 4) or 0 in image.shape:
        raise ShapeError("predict_tiled", "image", image.shape, "(C, H, W) or (C, D, H, W), none of them 0")
    dims = image.ndim - 1
    multiples = _per_side("multiple", multiple, dims, 1)
    tiles, overlaps = _per_side("tile", tile, dims, 1), _per_side("overlap", overlap, dims, 0)
    _check_arguments(tiles, overlaps, multiples, batch_size)
    padded = _pad_to_multiple(image, multiples)
    sides = [min(most, n) for most, n in zip(tiles, padded.shape[1:], strict=True)]
    starts = [_starts(*numbers) for numbers in zip(padded.shape[1:], sides, overlaps, strict=True)]
    windows: list[Any] = [
        (..., *(slice(first, first + n) for first, n in zip(corner, sides, strict=True)))
        for corner in product(*starts)
    ]
    weight = reduce(np.multiply.outer, (_window(n, o) for n, o in zip(sides, overlaps, strict=True)))
    total: Any = None
    weights = np.zeros(padded.shape[1:])
    for first in range(0, len(windows), batch_size):
        some = windows[first : first + batch_size]
        predicted = _predict_maps(predict, np.stack([padded[window] for window in some]))
        if total is None:
            total = np.zeros((*predicted.shape[1 : predicted.ndim - dims], *padded.shape[1:]))
        for window, maps in zip(some, predicted, strict=True):
            total[window] += maps * weight
            weights[window] += weight
    inside = (..., *(slice(n) for n in image.shape[1:]))
    return (total / weights)[inside].astype(np.float32)


def _predict_maps(predict: Predict, tiles: Array) -> Array:
    """Call `predict`; its result as (N, K, *sides) or (N, *sides)."""
    count, _, *sides = tiles.shape
    predicted = np.asarray(predict(tiles))
    fits = predicted.ndim in (tiles.ndim - 1, tiles.ndim) and len(predicted) == count
    if not fits or list(predicted.shape[-len(sides) :]) != sides:
        expected = f"({count}, K, {', '.join(map(str, sides))})"
        raise ShapeError("predict_tiled", "the result of predict", predicted.shape, expected)
    return predicted


def _pad_to_multiple(image: Array, multiples: Sequence[int]) -> Array:
    """Extend (C, *sides) at the ends by reflection until each side is divisible."""
    missing = [(0, -n % multiple) for n, multiple in zip(image.shape[1:], multiples, strict=True)]
    return np.pad(image, [(0, 0), *missing], mode="reflect")


def _starts(full: int, size: int, overlap: int) -> list[int]:
    """First pixels of the tiles along one side; the last tile is moved back to end with the image."""
    last = full - size
    return [*range(0, last, max(size - overlap, 1)), last]


def _window(size: int, overlap: int) -> Array:
    """Weights (size,): 1 inside, falling as a squared sine over `overlap` pixels at both ends."""
    from_border = np.minimum(np.arange(size), np.arange(size)[::-1]) + 0.5
    share = np.minimum(from_border / max(overlap, 0.5), 1)
    return np.sin(share * np.pi / 2) ** 2


def _per_side(name: str, value: Sizes, dims: int, least: int) -> tuple[int, ...]:
    """One whole number for each side."""
    values: Any = (value,) * dims if is_int(value) else value
    fits = isinstance(values, tuple | list) and len(values) == dims
    if not fits or not all(is_int(number, least) for number in values):
        expected = f"at least {least}, one number or {dims}"
        raise ArgumentError("predict_tiled", name, repr(value), expected)
    return tuple(int(number) for number in values)


def _check_arguments(
    tiles: Sequence[int], overlaps: Sequence[int], multiples: Sequence[int], batch_size: int
) -> None:
    for tile, overlap, multiple in zip(tiles, overlaps, multiples, strict=True):
        if tile % multiple:
            raise ArgumentError("predict_tiled", "tile", tile, f"a multiple of {multiple}")
        if not 0 <= overlap < tile:
            raise ArgumentError("predict_tiled", "overlap", overlap, f"0 to {tile - 1}")
    if not is_int(batch_size, 1):
        raise ArgumentError("predict_tiled", "batch_size", repr(batch_size), "at least 1")
