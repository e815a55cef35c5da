"""Made volumes in the manner of a head in an MRI scanner: fluid, grey and white matter, uneven light."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyconv.data.dataset import Dataset, check_index
from tinyconv.data.seeding import SYNTHESIS, check_seed, generator
from tinyconv.errors import ArgumentError

Array = Any

BRIGHTNESS = (0.05, 0.25, 0.5, 0.75)
"""Of what is outside, fluid, grey and white matter, as in a T1-weighted image."""


class SyntheticTissue(Dataset):
    """A folded ball of tissues, one within the other, in noise and under uneven light.

    An item is (image, labels): float32 (1, size, size, size), and int64 (size, size, size): 0 outside,
    1 fluid (around all, and in a chamber in the middle), 2 grey matter, 3 white matter. As in a scanner
    the brightness drifts from one side to the other. Item i is a pure function of (seed, i). It is no
    model of a brain.

    Parameters
    ----------
    count : int
    size : int
        Depth, height and width, at least 16.
    noise : float
        Standard deviation.
    drift : float
        By which share the light is weaker or stronger at the far ends, below 1.
    seed : int

    Examples
    --------
    >>> import numpy as np
    >>> image, labels = SyntheticTissue(2, size=24)[0]
    >>> image.shape, labels.shape, np.unique(labels).tolist()
    ((1, 24, 24, 24), (24, 24, 24), [0, 1, 2, 3])
    """

    classes = ("outside", "fluid", "grey matter", "white matter")

    def __init__(
        self, count: int, size: int = 32, noise: float = 0.1, drift: float = 0.3, seed: int = 0
    ) -> None:
        if count < 1 or size < 16:
            raise ArgumentError("SyntheticTissue", "count, size", (count, size), "at least 1 and 16")
        if not noise >= 0 or not 0 <= drift < 1:
            raise ArgumentError(
                "SyntheticTissue", "noise, drift", (noise, drift), "from 0, and from 0 to below 1"
            )
        self.count, self.size, self.noise, self.drift = count, size, noise, drift
        self.seed = check_seed("SyntheticTissue", seed)

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> tuple[Array, Array]:
        from scipy.ndimage import gaussian_filter

        rng = generator(self.seed, SYNTHESIS, check_index(self, index))
        shape = (self.size,) * 3
        places = np.stack(np.meshgrid(*(np.linspace(-1, 1, self.size),) * 3, indexing="ij"))

        def distance(low: float, high: float, shift: float) -> Array:
            middle, radii = rng.uniform(-shift, shift, 3), rng.uniform(low, high, 3)
            return np.sqrt((((places.T - middle) / radii).T ** 2).sum(axis=0))

        folds = gaussian_filter(rng.standard_normal(shape), self.size / 14)
        folds /= folds.std()
        ball, chamber = distance(0.75, 0.9, 0.06), distance(0.14, 0.26, 0.05)
        labels = np.zeros(shape, np.int64)
        labels[ball < 1] = 1
        labels[ball + 0.03 * folds < 0.88] = 2
        labels[ball + 0.1 * folds < 0.66] = 3
        labels[chamber + 0.1 * folds < 1] = 1
        direction = rng.standard_normal(3)
        light = 1 + self.drift * np.tensordot(direction / np.linalg.norm(direction), places, 1) / np.sqrt(3)
        image = light * np.array(BRIGHTNESS)[labels] + self.noise * rng.standard_normal(shape)
        return image.astype(np.float32)[None], labels
