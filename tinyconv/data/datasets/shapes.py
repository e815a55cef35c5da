"""Drawn shapes, each with its class and its mask: data that one can look through."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyconv.data.dataset import Dataset, check_index
from tinyconv.data.seeding import SYNTHESIS, check_seed, generator
from tinyconv.errors import ArgumentError

Array = Any

TRIES = 30
"""Places that a scene tries for a shape before it does without."""


class SyntheticShapes(Dataset):
    """A disc, a square, a triangle or a ring, at a random place, size and angle, in noise.

    An item is (image, label): float32 (1, size, size) from 0 to 1, and the index in `classes`. Item i
    is a pure function of (seed, i).

    Parameters
    ----------
    count : int
    size : int
        Height and width, at least 16.
    noise : float
        Standard deviation.
    seed : int

    Examples
    --------
    >>> shapes = SyntheticShapes(count=8, size=32)
    >>> image, label = shapes[2]
    >>> image.shape, shapes.classes[label], shapes.mask(2).dtype
    ((1, 32, 32), 'triangle', dtype('bool'))
    """

    classes = ("disc", "square", "triangle", "ring")

    def __init__(self, count: int, size: int = 32, noise: float = 0.1, seed: int = 0) -> None:
        if count < 1 or size < 16 or not noise >= 0:
            found = (count, size, noise)
            raise ArgumentError("SyntheticShapes", "count, size, noise", found, "at least 1, 16 and 0")
        self.count, self.size, self.noise = count, size, noise
        self.seed = check_seed("SyntheticShapes", seed)
        self.labels = np.arange(count) % len(self.classes)

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> tuple[Array, int]:
        index = check_index(self, index)
        rng = generator(self.seed, SYNTHESIS, index)
        mask = self._draw(index, rng)
        light, ground = rng.uniform(0.6, 0.9), rng.uniform(0.1, 0.3)
        image = np.where(mask, light, ground) + self.noise * rng.standard_normal(mask.shape)
        return image.clip(0, 1).astype(np.float32)[None], int(self.labels[index])

    def mask(self, index: int) -> Array:
        """Where the shape of item `index` is, bool (size, size)."""
        index = check_index(self, index)
        return self._draw(index, generator(self.seed, SYNTHESIS, index))

    def _draw(self, index: int, rng: np.random.Generator) -> Array:
        radius = self.size * rng.uniform(0.18, 0.3)
        place = rng.uniform(radius, self.size - 1 - radius, 2)
        return _shape(self.classes[self.labels[index]], self.size, place, radius, rng.uniform(0, 2 * np.pi))


class SyntheticScenes(Dataset):
    """Several such shapes in one image, beside one another, and the class of each pixel.

    An item is (image, labels): float32 (1, size, size) from 0 to 1, and int64 (size, size): 0 the
    ground, 1 to 4 the shapes of `classes`. Item i is a pure function of (seed, i).

    Parameters
    ----------
    count : int
    size : int
        Height and width, at least 32. The shapes are as large as in a `SyntheticShapes` of 32 pixels.
    shapes : (int, int)
        The least and the largest number of shapes; fewer where no more find a place.
    noise : float
        Standard deviation.
    seed : int

    Examples
    --------
    >>> import numpy as np
    >>> image, labels = SyntheticScenes(count=8, size=64)[0]
    >>> image.shape, labels.shape, bool(labels.max() <= 4)
    ((1, 64, 64), (64, 64), True)
    """

    classes = ("ground", *SyntheticShapes.classes)

    def __init__(
        self, count: int, size: int = 64, shapes: tuple[int, int] = (2, 4), noise: float = 0.1, seed: int = 0
    ) -> None:
        if count < 1 or size < 32 or not noise >= 0:
            raise ArgumentError(
                "SyntheticScenes", "count, size, noise", (count, size, noise), "from 1, 32 and 0"
            )
        if len(shapes) != 2 or not 1 <= shapes[0] <= shapes[1]:
            raise ArgumentError("SyntheticScenes", "shapes", shapes, "(least, largest), from 1")
        self.count, self.size, self.noise = count, size, noise
        self.shapes = int(shapes[0]), int(shapes[1])
        self.seed = check_seed("SyntheticScenes", seed)

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> tuple[Array, Array]:
        rng = generator(self.seed, SYNTHESIS, check_index(self, index))
        labels = np.zeros((self.size, self.size), np.int64)
        image = np.full(labels.shape, rng.uniform(0.1, 0.3))
        taken: list[tuple[Array, float]] = []
        for _ in range(int(rng.integers(self.shapes[0], self.shapes[1] + 1))):
            for _ in range(TRIES):
                radius = 32 * rng.uniform(0.18, 0.3)
                place = rng.uniform(radius, self.size - 1 - radius, 2)
                if all(np.hypot(*(place - other)) > radius + reach + 1 for other, reach in taken):
                    break
            else:
                break
            taken.append((place, radius))
            label = int(rng.integers(1, len(self.classes)))
            mask = _shape(self.classes[label], self.size, place, radius, rng.uniform(0, 2 * np.pi))
            labels[mask] = label
            image[mask] = rng.uniform(0.6, 0.9)
        image += self.noise * rng.standard_normal(image.shape)
        return image.clip(0, 1).astype(np.float32)[None], labels


def _shape(kind: str, size: int, place: Array, radius: float, angle: float) -> Array:
    """Where a shape is, bool (size, size); it lies within the circle of `radius` around `place`."""
    rows, columns = np.indices((size, size))
    down, right = rows - place[0], columns - place[1]
    along = np.cos(angle) * down + np.sin(angle) * right
    across = np.cos(angle) * right - np.sin(angle) * down
    distance = np.hypot(down, right)
    if kind == "disc":
        return distance <= radius
    if kind == "ring":
        return (distance <= radius) & (distance >= 0.55 * radius)
    if kind == "square":
        return np.maximum(abs(along), abs(across)) <= radius / np.sqrt(2)
    sides = [np.cos(turn) * along + np.sin(turn) * across for turn in 2 * np.pi / 3 * np.arange(3)]
    return np.max(sides, axis=0) <= radius / 2
