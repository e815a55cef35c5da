"""Synthetic fluorescence microscopy of cell nuclei: data for a machine without downloads.

Each image imitates one field of view: how crowded it is, how large, long and grainy its
nuclei are, the blur of the optics and the light that reaches the camera are drawn once per
image; then nuclei are placed, some in touching clusters, and the camera adds its noise.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tinyconv.data.dataset import Dataset, check_index
from tinyconv.data.seeding import SYNTHESIS, check_seed, generator
from tinyconv.errors import ArgumentError

Array = Any

SMALLEST = 16
READ_NOISE = 0.003


class SyntheticNuclei(Dataset):
    """Made images of glowing nuclei on a dark ground, with their masks.

    An item is (image, mask): float32 (1, size, size) from 0 to 1, and float32
    (1, size, size), 1 in the nuclei. Item i is a pure function of (seed, i).

    Parameters
    ----------
    count : int
        Number of images.
    size : int
        Height and width, at least 16.
    seed : int

    Examples
    --------
    >>> image, mask = SyntheticNuclei(count=10, size=64)[3]
    >>> image.shape, mask.shape, image.dtype
    ((1, 64, 64), (1, 64, 64), dtype('float32'))
    """

    def __init__(self, count: int, size: int = 256, seed: int = 0) -> None:
        if count < 1:
            raise ArgumentError("SyntheticNuclei", "count", count, "at least 1")
        if size < SMALLEST:
            raise ArgumentError("SyntheticNuclei", "size", size, f"at least {SMALLEST}")
        self.count, self.size, self.seed = count, size, check_seed("SyntheticNuclei", seed)

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> tuple[Array, Array]:
        image, labels = self.draw(index)
        return image[None], (labels > 0)[None].astype(np.float32)

    def instances(self, index: int) -> Array:
        """The nuclei of item `index`, int32 (size, size): 0 outside, k in the k-th nucleus."""
        return self.draw(index)[1]

    def draw(self, index: int) -> tuple[Array, Array]:
        """Image, float32 (size, size), and labels, int32 (size, size), of item `index`."""
        rng = generator(self.seed, SYNTHESIS, check_index(self, index))
        field = draw_field(rng, self.size)
        light, labels = _draw_nuclei(field, self.size, rng)
        _add_debris(light, rng)
        light = _through_the_optics(light, field, rng)
        return _camera(light, field, rng), labels


@dataclass
class Field:
    """What all of one image has in common; lengths in pixels, light as fractions of full scale."""

    nuclei: int
    radius: float
    elongation: float
    roughness: float
    grain: float
    clustering: float
    brightness: float
    contrast: float
    blur: float
    haze: float
    background: float
    photons: float


def draw_field(rng: np.random.Generator, size: int) -> Field:
    """Draw what one image looks like; the ranges are set to resemble real slides."""
    mottled = rng.random() < 0.4
    radius = rng.uniform(7.5, 9.5) if mottled else np.exp(rng.normal(np.log(6.3), 0.3))
    crowd = np.exp(rng.normal(np.log(20), 0.65)) * (6.5 / radius) ** 0.5
    return Field(
        nuclei=max(1, round(float(np.clip(crowd, 2, 90)) * (size / 256) ** 2)),
        radius=float(np.clip(radius, 3.5, 14)),
        elongation=rng.uniform(1.0, 1.2) if mottled else rng.uniform(1.2, 1.6),
        roughness=rng.uniform(0.02, 0.04) if mottled else rng.uniform(0.03, 0.07),
        grain=rng.uniform(0.4, 0.7) if mottled else rng.uniform(0.05, 0.3),
        clustering=rng.uniform(0.3, 0.7) if mottled else rng.uniform(0, 0.35),
        brightness=float(np.exp(rng.normal(np.log(0.35), 0.35))),
        contrast=rng.uniform(0.15, 0.5),
        blur=rng.uniform(0.9, 1.5) if mottled else rng.uniform(0.6, 1.1),
        haze=rng.uniform(0.1, 0.25) if mottled else rng.uniform(0.02, 0.1),
        background=rng.uniform(0.008, 0.04),
        photons=rng.uniform(400, 3000),
    )


def _draw_nuclei(field: Field, size: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """The light that the nuclei send out, and their labels, both (size, size)."""
    light = np.zeros((size, size), np.float32)
    labels = np.zeros((size, size), np.int32)
    texture = _grain(size, rng)
    for number, (row, column, radius) in enumerate(_place(field, size, rng), start=1):
        window, distance = _outline(row, column, radius, field, size, rng)
        inside = distance < 1
        level = field.brightness * np.exp(rng.normal(0, field.contrast))
        dome = level * (1 - 0.35 * distance**2) * (1 + field.grain * texture[window])
        shared = inside & (labels[window] > 0)
        light[window] = np.maximum(light[window], dome * inside) + 0.25 * dome * shared
        labels[window][inside] = number
    return light, _renumber(labels)


def _place(field: Field, size: int, rng: np.random.Generator) -> list[tuple[float, float, float]]:
    """Centre and radius of each nucleus, (row, column, radius), few of them overlapping."""
    placed: list[tuple[float, float, float]] = []
    for _ in range(field.nuclei):
        radius = field.radius * float(np.exp(rng.normal(0, 0.22)))
        for _ in range(8):
            row, column = _suggest(placed, radius, field.clustering, size, rng)
            if _is_free(row, column, radius, placed):
                placed.append((row, column, radius))
                break
    return placed


def _is_free(row: float, column: float, radius: float, placed: list[tuple[float, float, float]]) -> bool:
    """Whether a nucleus here would overlap none of the others by more than a little."""
    return all((row - r) ** 2 + (column - c) ** 2 > (0.85 * (radius + other)) ** 2 for r, c, other in placed)


def _suggest(
    placed: list[tuple[float, float, float]],
    radius: float,
    clustering: float,
    size: int,
    rng: np.random.Generator,
) -> tuple[float, float]:
    """A place for the next nucleus: anywhere, or touching one that is there."""
    if placed and rng.random() < clustering:
        row, column, other = placed[rng.integers(len(placed))]
        angle = rng.uniform(0, 2 * np.pi)
        distance = (radius + other) * rng.uniform(0.86, 1.1)
        row, column = row + distance * np.sin(angle), column + distance * np.cos(angle)
        if 0 <= row < size and 0 <= column < size:
            return row, column
    return rng.uniform(0, size), rng.uniform(0, size)


def _outline(
    row: float, column: float, radius: float, field: Field, size: int, rng: np.random.Generator
) -> tuple[tuple[slice, slice], Array]:
    """A window around a nucleus, and each pixel's distance from its centre: 1 on the outline.

    The outline is an ellipse whose radius waves with the angle in two to four lobes.
    """
    stretch = np.sqrt(1 + (field.elongation - 1) * rng.uniform(0.4, 1.6))
    reach = radius * stretch * (1 + 3 * field.roughness) + 1
    top, bottom = int(max(row - reach, 0)), int(min(row + reach + 2, size))
    left, right = int(max(column - reach, 0)), int(min(column + reach + 2, size))
    down = np.arange(top, bottom, dtype=np.float32)[:, None] - np.float32(row)
    across = np.arange(left, right, dtype=np.float32) - np.float32(column)
    tilt = rng.uniform(0, np.pi)
    cosine, sine = np.float32(np.cos(tilt)), np.float32(np.sin(tilt))
    along = (across * cosine + down * sine) / np.float32(radius * stretch)
    beside = (down * cosine - across * sine) / np.float32(radius / stretch)
    angle = np.arctan2(beside, along)
    wave = np.ones_like(angle)
    for lobes in (2, 3, 4):
        height = np.float32(rng.normal(0, 2 * field.roughness / lobes))
        phase = np.float32(rng.uniform(0, 2 * np.pi))
        wave += height * np.cos(lobes * angle + phase)
    window = (slice(top, bottom), slice(left, right))
    return window, np.sqrt(along**2 + beside**2) / np.maximum(wave, np.float32(0.5))


def _renumber(labels: Array) -> Array:
    """The labels without gaps: a nucleus that others cover entirely leaves none."""
    present = np.bincount(labels.ravel()) > 0
    present[0] = False
    return np.where(labels > 0, np.cumsum(present)[labels], 0).astype(np.int32)


def _grain(size: int, rng: np.random.Generator) -> Array:
    """Texture of the chromatin (size, size): mean 0, deviation about 1, grains of about 3 pixels."""
    coarse = (size + 2) // 3 + 1
    noise = rng.standard_normal((coarse, coarse), dtype=np.float32)
    return np.clip(1.5 * _enlarge(noise, size), -1.0, 2.2)


def _add_debris(light: Array, rng: np.random.Generator) -> None:
    """Add a few specks that are no nuclei and stand in no mask."""
    size = light.shape[0]
    for _ in range(rng.poisson(0.8 * (size / 256) ** 2)):
        row, column = rng.integers(1, size - 1, size=2)
        light[row - 1 : row + 1, column - 1 : column + 1] += np.float32(rng.uniform(0.1, 0.5))


def _through_the_optics(light: Array, field: Field, rng: np.random.Generator) -> Array:
    """Blur, light from above and below the plane of focus, and an uneven background."""
    from scipy.ndimage import gaussian_filter

    size = light.shape[0]
    coarse = gaussian_filter(_shrink(light, 4), 2.0)
    sharp = gaussian_filter(light, field.blur, truncate=3)
    uneven = _enlarge(rng.random((6, 6), dtype=np.float32), size)
    streaks = _enlarge(rng.standard_normal((24, 24), dtype=np.float32), size)
    ground = field.background * (0.6 + 0.8 * uneven + 0.2 * np.maximum(streaks, 0))
    return sharp + field.haze * _enlarge(coarse, size) + ground


def _camera(light: Array, field: Field, rng: np.random.Generator) -> Array:
    """Add the noise of photons and of reading out, and store 8 bits: float32 from 0 to 1.

    The number of photons follows Poisson's law, whose variance is its mean; it is drawn
    from the normal law of that variance, which is close at these numbers and quicker.
    """
    deviation = np.sqrt(light / np.float32(field.photons) + np.float32(READ_NOISE**2))
    seen = light + deviation * rng.standard_normal(light.shape, dtype=np.float32)
    return np.rint(seen.clip(0, 1) * 255).astype(np.float32) / np.float32(255)


def _shrink(plane: Array, factor: int) -> Array:
    """Means over squares of `factor` pixels; the borders repeat where they do not fill one."""
    short = -plane.shape[0] % factor
    padded = np.pad(plane, (0, short), mode="edge")
    coarse = padded.shape[0] // factor
    return padded.reshape(coarse, factor, coarse, factor).mean(axis=(1, 3))


def _enlarge(plane: Array, size: int) -> Array:
    """Interpolate a square plane linearly to (size, size)."""
    coarse = plane.shape[0]
    place = np.linspace(0, coarse - 1, size, dtype=np.float32)
    before = np.minimum(place.astype(int), coarse - 2)
    share = place - before.astype(np.float32)
    rows = plane[before] * (1 - share)[:, None] + plane[before + 1] * share[:, None]
    return rows[:, before] * (1 - share) + rows[:, before + 1] * share
