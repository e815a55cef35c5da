"""Transforms that change brightness and not place: windows, noise, blur, light that is uneven."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyconv.data.transforms import check_range
from tinyconv.errors import ArgumentError

Array = Any
Pair = tuple[Array, Array]


class Standardize:
    """Subtract each channel's mean and divide by its standard deviation; a constant channel becomes 0."""

    def __call__(self, image: Array, mask: Array, rng: np.random.Generator) -> Pair:
        axes = tuple(range(1, image.ndim))
        mean, std = image.mean(axis=axes, keepdims=True), image.std(axis=axes, keepdims=True)
        return ((image - mean) / np.where(std > 1e-8, std, 1)).astype(image.dtype), mask

    def __repr__(self) -> str:
        return "Standardize()"


class Window:
    """Map `low` to 0 and `high` to 1, and cut off what is beyond, e.g. -160 to 240 HU for a liver in CT."""

    def __init__(self, low: float, high: float) -> None:
        if not low < high:
            raise ArgumentError("Window", "low", low, f"a number below high = {high}")
        self.low, self.high = low, high

    def __call__(self, image: Array, mask: Array, rng: np.random.Generator) -> Pair:
        kind = image.dtype if image.dtype.kind == "f" else np.float32
        return ((image - self.low) / (self.high - self.low)).clip(0, 1).astype(kind), mask

    def __repr__(self) -> str:
        return f"Window({self.low}, {self.high})"


class RandomNoise:
    """Add normal noise whose deviation is drawn from 0 to `std`."""

    def __init__(self, std: float = 0.05, p: float = 1.0) -> None:
        self.std = check_range("RandomNoise", "std", std, 0, np.inf)
        self.p = check_range("RandomNoise", "p", p, 0, 1)

    def __call__(self, image: Array, mask: Array, rng: np.random.Generator) -> Pair:
        wanted, std = rng.random() < self.p, self.std * rng.random()
        if not wanted:
            return image, mask
        return (image + std * rng.standard_normal(image.shape, np.float32)).astype(image.dtype), mask

    def __repr__(self) -> str:
        return f"RandomNoise(std={self.std}, p={self.p})"


class RandomBlur:
    """Blur by a Gaussian whose deviation is drawn from 0 to `sigma` pixels."""

    def __init__(self, sigma: float = 1.5, p: float = 0.5) -> None:
        self.sigma = check_range("RandomBlur", "sigma", sigma, 0, np.inf)
        self.p = check_range("RandomBlur", "p", p, 0, 1)

    def __call__(self, image: Array, mask: Array, rng: np.random.Generator) -> Pair:
        from scipy.ndimage import gaussian_filter

        wanted, sigma = rng.random() < self.p, self.sigma * rng.random()
        if not wanted:
            return image, mask
        return np.stack([gaussian_filter(channel, sigma) for channel in image]).astype(image.dtype), mask

    def __repr__(self) -> str:
        return f"RandomBlur(sigma={self.sigma}, p={self.p})"
