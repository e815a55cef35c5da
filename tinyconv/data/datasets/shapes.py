"""Drawn shapes, each with its class and its mask: data that one can look through."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyconv.data.dataset import Dataset, check_index
from tinyconv.data.seeding import SYNTHESIS, check_seed, generator
from tinyconv.errors import ArgumentError

Array = Any


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
        top, left = rng.uniform(radius, self.size - 1 - radius, 2)
        angle = rng.uniform(0, 2 * np.pi)
        rows, columns = np.indices((self.size, self.size))
        down, right = rows - top, columns - left
        along, across = (
            np.cos(angle) * down + np.sin(angle) * right,
            np.cos(angle) * right - np.sin(angle) * down,
        )
        kind, distance = self.classes[self.labels[index]], np.hypot(down, right)
        if kind == "disc":
            return distance <= radius
        if kind == "ring":
            return (distance <= radius) & (distance >= 0.55 * radius)
        if kind == "square":
            return np.maximum(abs(along), abs(across)) <= radius / np.sqrt(2)
        sides = [np.cos(turn) * along + np.sin(turn) * across for turn in 2 * np.pi / 3 * np.arange(3)]
        return np.max(sides, axis=0) <= radius / 2
