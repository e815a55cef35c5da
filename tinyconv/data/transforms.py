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
    """Mirror along each of `axes` with probability `p`: by default top to bottom, and left to right."""

    def __init__(self, p: float = 0.5, axes: Sequence[int] = (-2, -1)) -> None:
        self.p = check_range("RandomFlip", "p", p, 0, 1)
        self.axes = tuple(axes)
        if not all(axis in (-3, -2, -1) for axis in self.axes):
            raise ArgumentError("RandomFlip", "axes", self.axes, "-1 (W), -2 (H), -3 (D of a volume)")

    def __call__(self, image: Array, mask: Array, rng: np.random.Generator) -> Pair:
        if min(self.axes, default=-1) <= -image.ndim:
            raise ShapeError("RandomFlip", "image", image.shape, f"one with the axes {self.axes}")
        axes = tuple(axis for axis in self.axes if rng.random() < self.p)
        return np.flip(image, axes), np.flip(mask, axes)

    def __repr__(self) -> str:
        return f"RandomFlip(p={self.p}, axes={self.axes})"


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
    size : int or (int, int) or (int, int, int)
        Height and width of the window; of a volume, depth too. One number stands for height and width.
    """

    def __init__(self, size: int | tuple[int, ...]) -> None:
        self.size = check_size("RandomCrop", size, (2, 3))

    def __call__(self, image: Array, mask: Array, rng: np.random.Generator) -> Pair:
        image, mask = pad_to(image, self.size), pad_to(mask, self.size)
        room = [have - want for have, want in zip(image.shape[-len(self.size) :], self.size, strict=True)]
        return _cut(image, mask, [int(rng.integers(most + 1)) for most in room], self.size)

    def __repr__(self) -> str:
        return f"RandomCrop(size={self.size})"


class CenterCrop:
    """Cut out the middle; a smaller image is first padded by reflection. `size` is as in `RandomCrop`."""

    def __init__(self, size: int | tuple[int, ...]) -> None:
        self.size = check_size("CenterCrop", size, (2, 3))

    def __call__(self, image: Array, mask: Array, rng: np.random.Generator) -> Pair:
        image, mask = pad_to(image, self.size), pad_to(mask, self.size)
        room = [have - want for have, want in zip(image.shape[-len(self.size) :], self.size, strict=True)]
        return _cut(image, mask, [most // 2 for most in room], self.size)

    def __repr__(self) -> str:
        return f"CenterCrop(size={self.size})"


class Pad:
    """Extend to at least `size`, evenly on both sides; a larger image stays as it is.

    Parameters
    ----------
    size : int or (int, int) or (int, int, int)
        As in `RandomCrop`.
    mode : {"reflect", "constant"}
        What comes in: a reflection, or 0 (in the mask too).
    """

    def __init__(self, size: int | tuple[int, ...], mode: str = "reflect") -> None:
        self.size = check_size("Pad", size, (2, 3))
        if mode not in ("reflect", "constant"):
            raise ArgumentError("Pad", "mode", repr(mode), "reflect or constant")
        self.mode = mode

    def __call__(self, image: Array, mask: Array, rng: np.random.Generator) -> Pair:
        return pad_to(image, self.size, self.mode), pad_to(mask, self.size, self.mode)

    def __repr__(self) -> str:
        return f"Pad(size={self.size}, mode={self.mode!r})"


def _cut(image: Array, mask: Array, corner: Sequence[int], size: tuple[int, ...]) -> Pair:
    window = (..., *(slice(first, first + n) for first, n in zip(corner, size, strict=True)))
    return image[window], mask[window]


class Resize:
    """Resize to `size`: the image smoothly, the mask by its nearest pixel.

    The image is interpolated linearly; where it shrinks, all pixels that an output pixel
    covers are averaged, so that fine detail does not turn into false patterns.

    Parameters
    ----------
    size : int or (int, int) or (int, int, int)
        As in `RandomCrop`: without a depth each slice of a volume is resized for itself.
    """

    def __init__(self, size: int | tuple[int, ...]) -> None:
        self.size = check_size("Resize", size, (2, 3))

    def __call__(self, image: Array, mask: Array, rng: np.random.Generator) -> Pair:
        check_pair(image, mask)
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
        self.gain = check_range("RandomIntensity", "gain", gain, 0, np.inf)
        self.offset = check_range("RandomIntensity", "offset", offset, 0, np.inf)
        self.gamma = check_range("RandomIntensity", "gamma", gamma, 0, np.inf)

    def __call__(self, image: Array, mask: Array, rng: np.random.Generator) -> Pair:
        gain = (1 + self.gain) ** rng.uniform(-1, 1)
        gamma = (1 + self.gamma) ** rng.uniform(-1, 1)
        offset = self.offset * rng.uniform(-1, 1)
        changed = np.abs(image) ** gamma
        changed *= gain
        np.copysign(changed, image, out=changed)
        changed += offset
        return changed.astype(image.dtype, copy=False), mask

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
        Whole numbers become float32.
    """
    if image.dtype.kind != "f":
        image = image.astype(np.float32)
    values = image.ravel()
    kind = np.result_type(image.dtype, np.float32)
    low, high = (_percentile(values, percent) for percent in (1, 99.8))
    if not kind.type(high - low) > 0:
        low, high = image.min(), image.max()
    spread = kind.type(high - low)
    if not spread > 0:
        return np.zeros_like(image)
    scaled = np.subtract(image, kind.type(low), dtype=kind)
    scaled /= spread
    return scaled.astype(image.dtype, copy=False)


def _percentile(values: Array, percent: float) -> Any:
    """`numpy.percentile` of (n,) in float64; that seeks all its places at once, which takes longer."""
    place = percent / 100 * (len(values) - 1)
    before = int(place)
    parted = np.partition(values, before)
    first, rest = parted[before], parted[before + 1 :]
    between = rest.min() - first if rest.size else first - first
    return first + between * np.float64(place - before)


def pad_to(array: Array, size: tuple[int, ...], mode: Any = "reflect") -> Array:
    """Extend (..., *sizes) at its borders to at least `size`, evenly on both sides."""
    if array.ndim <= len(size):
        sizes = "(C, D, H, W)" if len(size) == 3 else "(C, H, W)"
        raise ShapeError("pad_to", "array", array.shape, f"{sizes}, as the size {size} says")
    missing = [max(want - have, 0) for have, want in zip(array.shape[-len(size) :], size, strict=True)]
    if not any(missing):
        return array
    widths = [(0, 0)] * (array.ndim - len(size)) + [(short // 2, short - short // 2) for short in missing]
    return np.pad(array, widths, mode=mode)


def resize_image(image: Array, size: tuple[int, ...]) -> Array:
    """Resize (C, H, W) or (C, D, H, W) to (C, *size), linearly, averaging where it shrinks.

    Of a volume, (height, width) leaves the depth as it is.
    """
    if image.ndim <= len(size):
        raise ShapeError("resize_image", "image", image.shape, f"(C, D, H, W), as the size {size} says")
    if image.shape[-len(size) :] == size:
        return image
    height, width = size[-2:]
    planes = image.reshape(-1, *image.shape[-2:])
    resized = _resized(planes, height, width).reshape(*image.shape[:-2], height, width)
    if len(size) == 3:
        slices = resized.reshape(*resized.shape[:2], height * width)
        resized = _resized(slices, size[0], height * width).reshape(-1, *size)
    return resized.astype(image.dtype)


def _resized(planes: Array, height: int, width: int) -> Array:
    """Planes (n, H, W) as float32 (n, height, width)."""
    from PIL import Image

    images = [Image.fromarray(np.ascontiguousarray(plane, np.float32)) for plane in planes]
    resized = [image.resize((width, height), Image.Resampling.BILINEAR) for image in images]
    return np.stack([np.asarray(image) for image in resized])


def resize_mask(mask: Array, size: tuple[int, ...]) -> Array:
    """Resize (..., *sizes) to (..., *size) by the nearest pixel, which keeps labels whole."""
    places = [
        ((np.arange(want) + 0.5) * have / want).astype(int)
        for have, want in zip(mask.shape[-len(size) :], size, strict=True)
    ]
    return mask[(..., *np.ix_(*places))]


def check_pair(image: Array, mask: Array) -> None:
    """Raise `ShapeError` unless image (C, H, W) or (C, D, H, W) and mask belong together."""
    if image.ndim not in (3, 4) or 0 in image.shape:
        raise ShapeError("transform", "image", image.shape, "(C, H, W) or (C, D, H, W), none of them 0")
    if mask.ndim != image.ndim or mask.shape[1:] != image.shape[1:]:
        sizes = ", ".join(map(str, image.shape[1:]))
        raise ShapeError("transform", "mask", mask.shape, f"(K, {sizes}), the size of the image")


def check_size(where: str, size: Any, lengths: tuple[int, ...] = (2,)) -> tuple[Any, ...]:
    """`size` as (height, width), or (depth, height, width) where `lengths` has 3; a number is both."""
    sizes = (size, size) if isinstance(size, int) else size
    if not (
        isinstance(sizes, tuple | list)
        and len(sizes) in lengths
        and all(isinstance(n, int) and n > 0 for n in sizes)
    ):
        expected = "a positive int or two, (height, width)" + (", or three" if 3 in lengths else "")
        raise ArgumentError(where, "size", repr(size), expected)
    return tuple(sizes)


def check_range(where: str, argument: str, value: float, low: float, high: float) -> float:
    """`value`, or an `ArgumentError` if it is no number from `low` to `high`."""
    if not low <= value <= high:
        raise ArgumentError(where, argument, value, f"a number from {low} to {high}")
    return value
