"""Transforms of an image together with its mask.

A transform is called with ``(image, mask, rng)`` and returns ``(image, mask)``. The image
is a float array (C, H, W), the mask an array (K, H, W) of the same H and W; both come back
as new arrays or views, never changed in place. All that is random is drawn from the NumPy
generator `rng`, so that the caller decides what is repeated.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tinyconv.errors import ArgumentError, ShapeError

Array = Any
Pair = tuple[Array, Array]
Transform = Callable[[Array, Array, np.random.Generator], Pair]


class Compose:
    """Apply transforms one after the other.

    Parameters
    ----------
    transforms : sequence of transforms
    """

    def __init__(self, transforms: Sequence[Transform]) -> None:
        self.transforms = list(transforms)

    def __call__(self, image: Array, mask: Array, rng: np.random.Generator) -> Pair:
        for transform in self.transforms:
            image, mask = transform(image, mask, rng)
        return image, mask

    def __repr__(self) -> str:
        return f"Compose({self.transforms!r})"


class RandomFlip:
    """Mirror top to bottom, and left to right, each with probability `p`."""

    def __init__(self, p: float = 0.5) -> None:
        self.p = _check_range("RandomFlip", "p", p, 0, 1)

    def __call__(self, image: Array, mask: Array, rng: np.random.Generator) -> Pair:
        axes = tuple(axis for axis in (-2, -1) if rng.random() < self.p)
        return np.flip(image, axes), np.flip(mask, axes)

    def __repr__(self) -> str:
        return f"RandomFlip(p={self.p})"


class RandomRotate90:
    """Rotate by 0, 90, 180 or 270 degrees, each as likely; H and W swap at 90 and 270."""

    def __call__(self, image: Array, mask: Array, rng: np.random.Generator) -> Pair:
        turns = int(rng.integers(4))
        return np.rot90(image, turns, axes=(-2, -1)), np.rot90(mask, turns, axes=(-2, -1))

    def __repr__(self) -> str:
        return "RandomRotate90()"


class RandomCrop:
    """Cut out a window of `size`; a smaller image is first padded by reflection.

    Parameters
    ----------
    size : int or (int, int)
        Height and width of the window.
    """

    def __init__(self, size: int | tuple[int, int]) -> None:
        self.size = check_size("RandomCrop", size)

    def __call__(self, image: Array, mask: Array, rng: np.random.Generator) -> Pair:
        image, mask = reflect_to(image, self.size), reflect_to(mask, self.size)
        room = [have - want for have, want in zip(image.shape[-2:], self.size, strict=True)]
        top, left = (int(rng.integers(most + 1)) for most in room)
        window = (..., slice(top, top + self.size[0]), slice(left, left + self.size[1]))
        return image[window], mask[window]

    def __repr__(self) -> str:
        return f"RandomCrop(size={self.size})"


class Resize:
    """Resize to `size`: the image smoothly, the mask by its nearest pixel.

    The image is interpolated linearly; where it shrinks, all pixels that an output pixel
    covers are averaged, so that fine detail does not turn into false patterns.

    Parameters
    ----------
    size : int or (int, int)
        Height and width.
    """

    def __init__(self, size: int | tuple[int, int]) -> None:
        self.size = check_size("Resize", size)

    def __call__(self, image: Array, mask: Array, rng: np.random.Generator) -> Pair:
        return resize_image(image, self.size), resize_mask(mask, self.size)

    def __repr__(self) -> str:
        return f"Resize(size={self.size})"


class Normalize:
    """Map the image's 1st percentile to 0 and its 99.8th to 1, see `normalize`."""

    def __call__(self, image: Array, mask: Array, rng: np.random.Generator) -> Pair:
        return normalize(image), mask

    def __repr__(self) -> str:
        return "Normalize()"


class RandomIntensity:
    """Change brightness and contrast: ``gain * image ** gamma + offset``.

    Negative values keep their sign under the power. Meant for images that `Normalize` has
    brought to about 0 to 1.

    Parameters
    ----------
    gain, gamma : float
        Each is drawn from 1 / (1 + value) to 1 + value, as likely above 1 as below.
    offset : float
        Drawn from -offset to offset.
    """

    def __init__(self, gain: float = 0.25, offset: float = 0.1, gamma: float = 0.25) -> None:
        self.gain = _check_range("RandomIntensity", "gain", gain, 0, np.inf)
        self.offset = _check_range("RandomIntensity", "offset", offset, 0, np.inf)
        self.gamma = _check_range("RandomIntensity", "gamma", gamma, 0, np.inf)

    def __call__(self, image: Array, mask: Array, rng: np.random.Generator) -> Pair:
        gain = (1 + self.gain) ** rng.uniform(-1, 1)
        gamma = (1 + self.gamma) ** rng.uniform(-1, 1)
        offset = self.offset * rng.uniform(-1, 1)
        changed = gain * np.sign(image) * np.abs(image) ** gamma + offset
        return changed.astype(image.dtype), mask

    def __repr__(self) -> str:
        return f"RandomIntensity(gain={self.gain}, offset={self.offset}, gamma={self.gamma})"


def normalize(image: Array) -> Array:
    """Subtract the 1st percentile and divide by the spread from there to the 99.8th.

    The percentiles are of the whole image, all channels together. Where those two are
    equal, as in an image with a single bright pixel, the extremes take their place; a
    constant image becomes all 0.

    Parameters
    ----------
    image : array (C, H, W)
    """
    low, high = np.percentile(image, (1, 99.8))
    if not high > low:
        low, high = image.min(), image.max()
    if not high > low:
        return np.zeros_like(image)
    return ((image - low) / (high - low)).astype(image.dtype)


def reflect_to(array: Array, size: tuple[int, int]) -> Array:
    """Extend (..., H, W) by reflection at its borders to at least `size`, evenly on both sides."""
    missing = [max(want - have, 0) for have, want in zip(array.shape[-2:], size, strict=True)]
    if not any(missing):
        return array
    widths = [(0, 0)] * (array.ndim - 2) + [(short // 2, short - short // 2) for short in missing]
    return np.pad(array, widths, mode="reflect")


def resize_image(image: Array, size: tuple[int, int]) -> Array:
    """Resize (C, H, W) to (C, *size), linearly, averaging where it shrinks."""
    from PIL import Image

    if image.shape[-2:] == size:
        return image
    height, width = size
    planes = [Image.fromarray(np.ascontiguousarray(plane, np.float32)) for plane in image]
    resized = [plane.resize((width, height), Image.Resampling.BILINEAR) for plane in planes]
    return np.stack([np.asarray(plane) for plane in resized]).astype(image.dtype)


def resize_mask(mask: Array, size: tuple[int, int]) -> Array:
    """Resize (..., H, W) to (..., *size) by the nearest pixel, which keeps labels whole."""
    rows, columns = (
        ((np.arange(want) + 0.5) * have / want).astype(int)
        for have, want in zip(mask.shape[-2:], size, strict=True)
    )
    return mask[..., rows[:, None], columns]


def check_pair(image: Array, mask: Array) -> None:
    """Raise `ShapeError` unless image (C, H, W) and mask (K, H, W) belong together."""
    if image.ndim != 3 or 0 in image.shape:
        raise ShapeError("transform", "image", image.shape, "(C, H, W), none of them 0")
    if mask.ndim != 3 or mask.shape[1:] != image.shape[1:]:
        height, width = image.shape[1:]
        raise ShapeError("transform", "mask", mask.shape, f"(K, {height}, {width}), the size of the image")


def check_size(where: str, size: Any) -> tuple[int, int]:
    """`size` as (height, width); one number stands for both."""
    pair = (size, size) if isinstance(size, int) else size
    if not (
        isinstance(pair, tuple | list) and len(pair) == 2 and all(isinstance(n, int) and n > 0 for n in pair)
    ):
        raise ArgumentError(where, "size", repr(size), "a positive int or two, (height, width)")
    return pair[0], pair[1]


def _check_range(where: str, argument: str, value: float, low: float, high: float) -> float:
    if not low <= value <= high:
        raise ArgumentError(where, argument, value, f"a number from {low} to {high}")
    return value
