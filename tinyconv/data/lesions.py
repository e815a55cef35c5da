"""Lesions painted into images, where real ones are rare: computer graphics as augmentation."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyconv.data.spatial import check_space
from tinyconv.data.transforms import check_range
from tinyconv.errors import ArgumentError

Array = Any
Pair = tuple[Array, Array]

MARGIN = 1.6
"""How far the window of a lesion reaches, in radii."""


class PasteLesions:
    """Paint blobs into the image and mark them in the mask.

    A blob is an ellipse (in a volume, an ellipsoid) of random proportions, whose edge waves a little and
    is soft. The light inside changes by a contrast that is drawn too.

    Parameters
    ----------
    number : (int, int)
        How many, from and to.
    radius : (float, float)
        In pixels, from and to.
    contrast : (float, float)
        What is added to the image inside, from and to; negative numbers darken.
    inside : int, optional
        Channel of the mask within which the middles lie, and outside of which nothing is painted, e.g.
        that of the organ; without it they lie anywhere.
    channel : int
        Channel of the mask that marks lesions: set to 1 there.
    softness : float
        Width of the edge as a share of the radius.

    Examples
    --------
    >>> paste = PasteLesions(number=(2, 2), radius=(4, 4), contrast=(0.5, 0.5))
    >>> image, mask = paste(np.zeros((1, 64, 64)), np.zeros((1, 64, 64)), np.random.default_rng(0))
    >>> bool(mask.sum() > 50), float(image[mask > 0].min()) >= 0.25
    (True, True)
    """

    def __init__(
        self,
        number: tuple[int, int] = (1, 3),
        radius: tuple[float, float] = (3.0, 8.0),
        contrast: tuple[float, float] = (0.2, 0.5),
        inside: int | None = None,
        channel: int = -1,
        softness: float = 0.25,
    ) -> None:
        for name, pair in (("number", number), ("radius", radius), ("contrast", contrast)):
            if len(pair) != 2 or pair[0] > pair[1]:
                raise ArgumentError("PasteLesions", name, pair, "two numbers, from and to")
        if number[0] < 0 or radius[0] <= 0:
            raise ArgumentError("PasteLesions", "number, radius", (number, radius), "at least 0, above 0")
        self.number, self.radius, self.contrast = number, radius, contrast
        self.inside, self.channel = inside, channel
        self.softness = check_range("PasteLesions", "softness", softness, 1e-3, 10)

    def __call__(self, image: Array, mask: Array, rng: np.random.Generator) -> Pair:
        size = check_space("PasteLesions", image, mask)
        allowed = None if self.inside is None else mask[self.inside] > 0
        image, mask = image.copy(), mask.copy()
        for _ in range(int(rng.integers(self.number[0], self.number[1] + 1))):
            middle = _place(size, allowed, rng)
            if middle is None:
                break
            share, window = _blob(size, middle, rng.uniform(*self.radius), self.softness, rng)
            if allowed is not None:
                share = share * allowed[window]
            image[(slice(None), *window)] += (rng.uniform(*self.contrast) * share).astype(image.dtype)
            mask[self.channel][window][share >= 0.5] = 1
        return image, mask

    def __repr__(self) -> str:
        return f"PasteLesions(number={self.number}, radius={self.radius}, contrast={self.contrast})"


def _place(size: tuple[int, ...], allowed: Array | None, rng: np.random.Generator) -> Array | None:
    """A pixel, among those allowed; None if there are none."""
    if allowed is None:
        return np.array([rng.integers(n) for n in size])
    places = np.argwhere(allowed)
    return places[rng.integers(len(places))] if len(places) else None


def _blob(
    size: tuple[int, ...], middle: Array, radius: float, softness: float, rng: np.random.Generator
) -> tuple[Array, tuple[slice, ...]]:
    """How much of each pixel in a window is lesion, from 0 to 1, and the window."""
    reach = int(np.ceil(MARGIN * radius * 1.5))
    window = tuple(
        slice(max(int(at) - reach, 0), min(int(at) + reach + 1, n))
        for at, n in zip(middle, size, strict=True)
    )
    axes = [np.arange(part.start, part.stop) - at for part, at in zip(window, middle, strict=True)]
    places = np.stack(np.meshgrid(*axes, indexing="ij")).reshape(len(size), -1)
    turn, _ = np.linalg.qr(rng.standard_normal((len(size), len(size))))
    stretch = 1.5 ** rng.uniform(-1, 1, len(size))
    along = (turn @ places) / (radius * stretch)[:, None]
    distance = np.sqrt((along**2).sum(axis=0))
    waves = rng.standard_normal((3, len(size)))
    direction = along / np.maximum(distance, 1e-9)
    edge = 1 + 0.08 * np.sin(2 * waves @ direction + rng.uniform(0, 2 * np.pi, (3, 1))).sum(axis=0)
    share = 1 / (1 + np.exp(np.clip((distance - edge) / (softness / 4), -50, 50)))
    return share.reshape([len(axis) for axis in axes]), window
