"""Transforms that move pixels: rotation, translation, scale, skew, elastic, of images and of volumes.

As in `tinyconv.data.transforms` a transform is called with ``(image, mask, rng)``. The image is
(C, H, W) or (C, D, H, W), the mask has the same sizes; the image is interpolated linearly, the mask by
its nearest pixel, which keeps labels whole. Several changes are joined into one, so that an image is
interpolated once.
"""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np

from tinyconv.data.transforms import check_range
from tinyconv.errors import ArgumentError, ShapeError

Array = Any
Pair = tuple[Array, Array]

MODES = ("reflect", "constant", "nearest", "mirror", "wrap")
PADDED = {"reflect": "symmetric", "nearest": "edge", "mirror": "reflect"}
"""What NumPy calls those of the modes that are a padding."""

IN_PILLOW = {(np.dtype(np.float32), 0), (np.dtype(np.float32), 1), (np.dtype(np.uint8), 0)}
"""Dtypes and orders in which Pillow interpolates as SciPy does."""


class RandomAffine:
    """Rotate, skew, scale and move, about the middle of the image.

    Parameters
    ----------
    rotation : float
        Degrees: each angle is drawn from -rotation to rotation. A volume is turned in its three planes,
        one after the other.
    scale : float
        The factor is drawn from 1 / (1 + scale) to 1 + scale, as likely above 1 as below.
    skew : float
        Degrees by which right angles change, in each plane.
    translation : float
        The share of each side by which the image moves at most.
    p : float
        How likely anything is done at all.
    mode : str
        What comes in at the borders, as in `scipy.ndimage`: ``reflect``, ``constant`` (0), ``nearest``.

    Examples
    --------
    >>> turn = RandomAffine(rotation=90)
    >>> image, mask = np.ones((3, 20, 20)), np.ones((1, 20, 20))
    >>> image, mask = turn(image, mask, np.random.default_rng(0))
    >>> image.shape, mask.shape
    ((3, 20, 20), (1, 20, 20))
    """

    def __init__(
        self,
        rotation: float = 0.0,
        scale: float = 0.0,
        skew: float = 0.0,
        translation: float = 0.0,
        p: float = 1.0,
        mode: str = "reflect",
    ) -> None:
        where = type(self).__name__
        self.rotation = check_range(where, "rotation", rotation, 0, 180)
        self.scale = check_range(where, "scale", scale, 0, 100)
        self.skew = check_range(where, "skew", skew, 0, 80)
        self.translation = check_range(where, "translation", translation, 0, 1)
        self.p = check_range(where, "p", p, 0, 1)
        if mode not in MODES:
            raise ArgumentError(where, "mode", repr(mode), " or ".join(MODES))
        self.mode = mode

    def __call__(self, image: Array, mask: Array, rng: np.random.Generator) -> Pair:
        size = check_space(type(self).__name__, image, mask)
        wanted = rng.random() < self.p
        matrix, shift = self.draw(size, rng)
        if not wanted:
            return image, mask
        return apply_affine(image, matrix, shift, 1, self.mode), apply_affine(
            mask, matrix, shift, 0, self.mode
        )

    def draw(self, size: tuple[int, ...], rng: np.random.Generator) -> tuple[Array, Array]:
        """A matrix (n, n) and a shift (n,): what was at x - middle comes to matrix @ (x - middle) + shift."""
        matrix = np.eye(len(size))
        for plane in combinations(range(len(size)), 2):
            angle, lean = np.deg2rad([self.rotation, self.skew]) * rng.uniform(-1, 1, 2)
            matrix = _rotation(len(size), plane, angle) @ _skew(len(size), plane, lean) @ matrix
        matrix *= (1 + self.scale) ** rng.uniform(-1, 1)
        return matrix, self.translation * np.array(size) * rng.uniform(-1, 1, len(size))

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={value!r}" for name, value in vars(self).items())
        return f"{type(self).__name__}({shown})"


class RandomRotation(RandomAffine):
    """Rotate by up to so many degrees; see `RandomAffine`."""

    def __init__(self, rotation: float = 15.0, p: float = 1.0, mode: str = "reflect") -> None:
        super().__init__(rotation=rotation, p=p, mode=mode)


class RandomScale(RandomAffine):
    """Enlarge or shrink, by a factor up to ``1 + scale``; see `RandomAffine`."""

    def __init__(self, scale: float = 0.2, p: float = 1.0, mode: str = "reflect") -> None:
        super().__init__(scale=scale, p=p, mode=mode)


class RandomSkew(RandomAffine):
    """Lean to a side, by up to so many degrees; see `RandomAffine`."""

    def __init__(self, skew: float = 10.0, p: float = 1.0, mode: str = "reflect") -> None:
        super().__init__(skew=skew, p=p, mode=mode)


class RandomTranslation(RandomAffine):
    """Move by up to this share of each side; see `RandomAffine`."""

    def __init__(self, translation: float = 0.1, p: float = 1.0, mode: str = "reflect") -> None:
        super().__init__(translation=translation, p=p, mode=mode)


class RandomElastic:
    """Bend: every pixel moves by a random field that is smooth.

    Simard, Steinkraus and Platt, "Best Practices for Convolutional Neural Networks Applied to Visual
    Document Analysis" (2003): numbers from -1 to 1 at every pixel, made smooth by a Gaussian; here they
    are then scaled, so that `amplitude` is the deviation of the movement.

    Parameters
    ----------
    amplitude : float
        In pixels: the standard deviation of the movement in each direction.
    smoothness : float
        In pixels: the standard deviation of the Gaussian; larger bends in wider waves.
    p : float
        How likely anything is done at all.
    mode : str
        What comes in at the borders, see `RandomAffine`.
    """

    def __init__(
        self, amplitude: float = 3.0, smoothness: float = 10.0, p: float = 1.0, mode: str = "reflect"
    ) -> None:
        self.amplitude = check_range("RandomElastic", "amplitude", amplitude, 0, 1e4)
        self.smoothness = check_range("RandomElastic", "smoothness", smoothness, 0.1, 1e4)
        self.p = check_range("RandomElastic", "p", p, 0, 1)
        if mode not in MODES:
            raise ArgumentError("RandomElastic", "mode", repr(mode), " or ".join(MODES))
        self.mode = mode

    def __call__(self, image: Array, mask: Array, rng: np.random.Generator) -> Pair:
        size = check_space("RandomElastic", image, mask)
        wanted = rng.random() < self.p
        field = self.draw(size, rng)
        if not wanted:
            return image, mask
        places = np.indices(size, np.float32) + field
        return _sample(image, places, 1, self.mode), _sample(mask, places, 0, self.mode)

    def draw(self, size: tuple[int, ...], rng: np.random.Generator) -> Array:
        """The movement of each pixel, float32 (n, \\*size)."""
        from scipy.ndimage import gaussian_filter

        field = np.empty((len(size), *size), np.float32)
        for axis in range(len(size)):
            noise = rng.uniform(-1, 1, size).astype(np.float32)
            smooth = gaussian_filter(noise, self.smoothness, mode="reflect")
            field[axis] = smooth * np.float32(self.amplitude / max(float(smooth.std()), 1e-12))
        return field

    def __repr__(self) -> str:
        return f"RandomElastic(amplitude={self.amplitude}, smoothness={self.smoothness}, p={self.p})"


def apply_affine(array: Array, matrix: Array, shift: Array, order: int = 1, mode: str = "reflect") -> Array:
    """Move each channel of (C, \\*size): what was at x - middle comes to ``matrix @ (x - middle) + shift``.

    Parameters
    ----------
    array : array (C, H, W) or (C, D, H, W)
    matrix : array (n, n)
    shift : array (n,), in pixels
    order : int
        0 takes the nearest pixel, 1 interpolates linearly, 3 by cubic splines.
    mode : str
        What comes in at the borders.
    """
    middle = (np.array(array.shape[1:]) - 1) / 2
    back = np.linalg.inv(matrix)
    offset = middle - back @ (middle + shift)
    values = array.astype(np.uint8) if array.dtype == np.bool_ else array
    margins = _margins(array.shape[1:], back, offset)
    suits = values.ndim == 3 and (values.dtype, order) in IN_PILLOW and mode in PADDED
    if suits and (margins <= min(array.shape[1:])).all():
        moved = [_by_pillow(plane, back, offset, order, margins, PADDED[mode]) for plane in values]
    else:
        from scipy.ndimage import affine_transform

        moved = [affine_transform(plane, back, offset, order=order, mode=mode) for plane in values]
    return np.stack(moved).astype(array.dtype, copy=False)


def _margins(size: tuple[int, ...], back: Array, offset: Array) -> Array:
    """How far ``back @ x + offset`` leaves the image: pixels before and after each axis, int (n, 2)."""
    last = np.array(size) - 1
    low = offset + np.minimum(back * last, 0).sum(axis=1)
    high = offset + np.maximum(back * last, 0).sum(axis=1)
    # one more is the neighbour of the interpolation, a second one for what is rounded
    return np.maximum(np.ceil([-low, high - last]).T.astype(int) + 2, 0)


def _by_pillow(plane: Array, back: Array, offset: Array, order: int, margins: Array, padding: Any) -> Array:
    """`scipy.ndimage.affine_transform` of an image (H, W), several times as fast.

    Pillow knows no reflection, so that is made first. Its coordinates are (x, y), and the middle of the
    first pixel is at (0.5, 0.5).
    """
    from PIL import Image

    (yy, yx), (xy, xx) = back
    y, x = offset + margins[:, 0] + 0.5 - back @ (0.5, 0.5)
    padded = Image.fromarray(np.pad(plane, margins, mode=padding))
    how = Image.Resampling.BILINEAR if order else Image.Resampling.NEAREST
    height, width = plane.shape
    return np.asarray(padded.transform((width, height), Image.Transform.AFFINE, (xx, xy, x, yx, yy, y), how))


def check_space(where: str, image: Array, mask: Array) -> tuple[int, ...]:
    """The sizes that image (C, \\*size) and mask (K, \\*size) share: two, or three of a volume."""
    if image.ndim not in (3, 4) or 0 in image.shape:
        raise ShapeError(where, "image", image.shape, "(C, H, W) or (C, D, H, W), none of them 0")
    if mask.ndim != image.ndim or mask.shape[1:] != image.shape[1:]:
        sizes = ", ".join(map(str, image.shape[1:]))
        raise ShapeError(where, "mask", mask.shape, f"(K, {sizes}), the size of the image")
    return image.shape[1:]


def _sample(array: Array, places: Array, order: int, mode: str) -> Array:
    from scipy.ndimage import map_coordinates

    values = array.astype(np.uint8) if array.dtype == np.bool_ else array
    return np.stack([map_coordinates(plane, places, order=order, mode=mode) for plane in values]).astype(
        array.dtype
    )


def _rotation(dims: int, plane: tuple[int, int], angle: float) -> Array:
    matrix = np.eye(dims)
    matrix[np.ix_(plane, plane)] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    return matrix


def _skew(dims: int, plane: tuple[int, int], angle: float) -> Array:
    matrix = np.eye(dims)
    matrix[plane] = np.tan(angle)
    return matrix
