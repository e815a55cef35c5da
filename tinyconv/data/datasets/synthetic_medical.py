"""Made medical images whose truth is known: a beating heart, vessels with calcium, an organ with lesions.

None of them is a model of a patient; each has what a network must learn to see, and exact masks.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyconv.data.dataset import Dataset, check_index
from tinyconv.data.lesions import PasteLesions
from tinyconv.data.seeding import SYNTHESIS, check_seed, generator
from tinyconv.errors import ArgumentError

Array = Any


class _Made(Dataset):
    """What the datasets of this file share: item i is a pure function of (seed, i)."""

    def __init__(self, count: int, size: int, seed: int, least: int) -> None:
        name = type(self).__name__
        if count < 1:
            raise ArgumentError(name, "count", count, "at least 1")
        if size < least:
            raise ArgumentError(name, "size", size, f"at least {least}")
        self.count, self.size, self.seed = count, size, check_seed(name, seed)

    def __len__(self) -> int:
        return self.count

    def _rng(self, index: int) -> np.random.Generator:
        return generator(self.seed, SYNTHESIS, check_index(self, index))


class SyntheticHeart(_Made):
    """A slice through a left ventricle over one heartbeat: two ellipses that contract.

    An item is (image, mask): float32 (1, frames, size, size) from 0 to 1, and int64
    (1, frames, size, size): 0 outside, 1 the blood within, 2 the muscle around it. The first frame is
    the end of diastole (largest), the middle one the end of systole.

    Parameters
    ----------
    count : int
    size : int
        Height and width, at least 32.
    frames : int
        At least 2.
    seed : int

    Examples
    --------
    >>> image, mask = SyntheticHeart(2, size=48, frames=8)[0]
    >>> image.shape, [int((mask[0, t] == 1).sum()) for t in (0, 4)][0] > int((mask[0, 4] == 1).sum())
    ((1, 8, 48, 48), True)
    """

    def __init__(self, count: int, size: int = 64, frames: int = 16, seed: int = 0) -> None:
        super().__init__(count, size, seed, 32)
        if frames < 2:
            raise ArgumentError("SyntheticHeart", "frames", frames, "at least 2")
        self.frames = frames

    def __getitem__(self, index: int) -> tuple[Array, Array]:
        rng = self._rng(index)
        middle = self.size * rng.uniform(0.42, 0.58, 2)
        radii = self.size * rng.uniform(0.16, 0.22) * np.array([1, rng.uniform(1.0, 1.35)])
        wall, shrink = self.size * rng.uniform(0.05, 0.08), rng.uniform(0.2, 0.4)
        angle = rng.uniform(0, np.pi)
        beat = (1 - np.cos(2 * np.pi * np.arange(self.frames) / self.frames)) / 2
        labels = np.zeros((self.frames, self.size, self.size), np.int64)
        for frame, phase in enumerate(beat):
            inner = radii * (1 - shrink * phase)
            outer = np.sqrt(inner**2 + (radii + wall) ** 2 - radii**2)  # the muscle keeps its area, nearly
            labels[frame][self._ellipse(middle, outer, angle)] = 2
            labels[frame][self._ellipse(middle, inner, angle)] = 1
        light = np.array([rng.uniform(0.2, 0.35), rng.uniform(0.75, 0.95), rng.uniform(0.4, 0.55)])
        image = light[labels] + 0.05 * rng.standard_normal(labels.shape)
        return image.clip(0, 1).astype(np.float32)[None], labels[None]

    def _ellipse(self, middle: Array, radii: Array, angle: float) -> Array:
        rows, columns = np.indices((self.size, self.size))
        down, right = rows - middle[0], columns - middle[1]
        along = np.cos(angle) * down + np.sin(angle) * right
        across = np.cos(angle) * right - np.sin(angle) * down
        return (along / radii[0]) ** 2 + (across / radii[1]) ** 2 <= 1


class SyntheticVessels(_Made):
    """Vessels that branch, with spots of calcium in their walls.

    An item is (image, mask): float32 (1, size, size) from 0 to 1, and float32 (2, size, size): vessel,
    calcium. Calcium is brighter than blood and lies within a vessel, at its edge.

    Parameters
    ----------
    count : int
    size : int
        Height and width, at least 48.
    seed : int

    Examples
    --------
    >>> image, mask = SyntheticVessels(3)[0]
    >>> image.shape, mask.shape, bool((mask[1] <= mask[0]).all())
    ((1, 128, 128), (2, 128, 128), True)
    """

    def __init__(self, count: int, size: int = 128, seed: int = 0) -> None:
        super().__init__(count, size, seed, 48)

    def __getitem__(self, index: int) -> tuple[Array, Array]:
        from scipy.ndimage import gaussian_filter

        rng = self._rng(index)
        vessel, wall = np.zeros((2, self.size, self.size), bool)
        start = np.array([rng.uniform(0.3, 0.7) * self.size, 0.0])
        self._grow(vessel, wall, start, rng.uniform(-0.3, 0.3), self.size * rng.uniform(0.035, 0.05), 3, rng)
        calcium = np.zeros_like(vessel)
        edge = np.argwhere(wall & vessel)
        rows, columns = np.indices(vessel.shape)
        for place in edge[rng.integers(len(edge), size=rng.integers(2, 6))]:
            radius = self.size * rng.uniform(0.01, 0.022)
            calcium |= np.hypot(rows - place[0], columns - place[1]) <= radius
        calcium &= vessel
        ground = 0.25 + 0.05 * gaussian_filter(rng.standard_normal(vessel.shape), 6) * 20
        image = ground + 0.3 * gaussian_filter(vessel.astype(float), 0.8) + 0.35 * calcium
        image += 0.04 * rng.standard_normal(vessel.shape)
        mask = np.stack([vessel, calcium]).astype(np.float32)
        return image.clip(0, 1).astype(np.float32)[None], mask

    def _grow(
        self, vessel: Array, wall: Array, at: Array, angle: float, radius: float, forks: int, rng: Any
    ) -> None:
        """Draw a tube that bends, step by step, and forks into two thinner ones."""
        rows, columns = np.indices(vessel.shape)
        for _ in range(int(rng.integers(18, 30) * self.size / 128)):
            distance = np.hypot(rows - at[0], columns - at[1])
            vessel |= distance <= radius
            wall |= (distance <= radius) & (distance > 0.6 * radius)
            angle += rng.normal(0, 0.12)
            at = at + 1.5 * np.array([np.sin(angle), np.cos(angle)])
            if not ((at >= 0) & (at < self.size)).all():
                return  # it leaves the picture
        if forks:
            for side in (-1, 1):
                turn = angle + side * rng.uniform(0.3, 0.7)
                self._grow(vessel, wall, at, turn, max(radius * 0.75, 1.0), forks - 1, rng)


class SyntheticOrgan(_Made):
    """A volume with an organ, and lesions within it.

    An item is (image, mask): float32 (1, depth, size, size) in Hounsfield units, and float32
    (2, depth, size, size): organ (lesions included), lesions. `spacing` is in millimetres.

    Parameters
    ----------
    count : int
    size : int
        Height and width, at least 32.
    depth : int
        Slices, at least 8.
    seed : int

    Examples
    --------
    >>> organs = SyntheticOrgan(2, size=32, depth=16)
    >>> image, mask = organs[0]
    >>> image.shape, mask.shape, bool((mask[1] <= mask[0]).all()), organs.spacing
    ((1, 16, 32, 32), (2, 16, 32, 32), True, (2.5, 1.5, 1.5))
    """

    spacing = (2.5, 1.5, 1.5)

    def __init__(self, count: int, size: int = 64, depth: int = 32, seed: int = 0) -> None:
        super().__init__(count, size, seed, 32)
        if depth < 8:
            raise ArgumentError("SyntheticOrgan", "depth", depth, "at least 8")
        self.depth = depth

    def __getitem__(self, index: int) -> tuple[Array, Array]:
        from scipy.ndimage import gaussian_filter

        rng = self._rng(index)
        shape = (self.depth, self.size, self.size)
        places = np.stack(np.meshgrid(*(np.linspace(-1, 1, n) for n in shape), indexing="ij"))
        middle, radii = rng.uniform(-0.15, 0.15, 3), rng.uniform(0.45, 0.65, 3)
        distance = np.sqrt((((places.T - middle) / radii).T ** 2).sum(axis=0))
        bumps = gaussian_filter(rng.standard_normal(shape), (self.depth / 10, self.size / 10, self.size / 10))
        organ = distance + 0.15 * bumps / bumps.std() < 1
        body = (places[1] / 0.95) ** 2 + (places[2] / 0.95) ** 2 < 1
        image = np.where(body, np.where(organ, rng.uniform(90, 130), rng.uniform(20, 50)), -1000.0)
        mask = np.stack([organ, np.zeros_like(organ)]).astype(np.float32)
        contrast = rng.uniform(-70, -40)
        paste = PasteLesions(
            (1, 4), (0.05 * self.size, 0.12 * self.size), (contrast, contrast), inside=0, channel=1
        )
        painted, mask = paste(image[None], mask, rng)
        painted += 12 * rng.standard_normal(painted.shape)
        return painted.astype(np.float32), mask
