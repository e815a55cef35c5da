"""Reading and writing image files, through Pillow.

Only the header is read before the size is checked, so that a small file which claims a
huge image is refused before memory is set aside for it. The checksums of a PNG file are looked at here, as
Pillow passes over those of the pixels; the other formats have none that would tell of a bit that has changed.
"""

from __future__ import annotations

import contextlib
import io
import os
import stat
from collections.abc import Iterator
from typing import Any

import numpy as np

from tinyconv.data.plain_png import pieces, read_plain_object
from tinyconv.errors import ArgumentError, DataError, ShapeError
from tinyconv.io import write_whole

Array = Any

MAX_PIXELS = 2**26
"""Images of more pixels than this (67,108,864, e.g. 8192 x 8192) are refused."""

SMALL_FILE = 2**20
"""Bytes: larger files are never read as a whole."""

FORMATS = ("PNG", "JPEG", "TIFF", "BMP", "GIF", "PPM")
"""What is read; Pillow's other formats are refused, as some start other programs."""

GREY_16_BIT = ("I;16", "I;16L", "I;16B", "I;16N")


def read_image(path: str | os.PathLike[str]) -> Array:
    """Read an image as float32 with values from 0 to 1.

    Parameters
    ----------
    path : path
        A PNG, JPEG, TIFF, BMP, GIF or PPM file of one frame.

    Returns
    -------
    array (1, H, W) for grey and black-and-white images, (3, H, W) for coloured ones
        Palettes, CMYK and the like become RGB; transparency is ignored.

    Raises
    ------
    DataError
        If the file is missing, empty, truncated, damaged or no image, has more than `MAX_PIXELS`
        pixels, or several frames. The message names the file.
    """
    return to_float(read_pixels(path))


def read_mask(path: str | os.PathLike[str]) -> Array:
    """Read a mask as booleans (H, W): true wherever the image is not black.

    Raises
    ------
    DataError
        As `read_image`.
    """
    pixels = read_pixels(path)
    return pixels[0] != 0 if len(pixels) == 1 else pixels.any(axis=0)


def read_object(path: str | os.PathLike[str]) -> tuple[tuple[int, int], tuple[slice, slice], Array]:
    """Read a mask of one object: its size, a box (rows, columns) beyond which all is black, the mask in it.

    Raises
    ------
    DataError
        As `read_image`.
    """
    from PIL import Image

    plain = read_plain_object(_content(path), MAX_PIXELS)
    if plain is not None:
        size, rows, pixels = plain
        return size, (rows, slice(0, size[1])), pixels != 0
    with _opened(path) as image:
        height, width = image.height, image.width
        if image.mode not in ("1", "L"):
            image = Image.fromarray(_pixels(path, image).any(axis=0))
        box = image.getbbox() or (0, 0, 0, 0)
        left, top, right, bottom = box
        return (height, width), (slice(top, bottom), slice(left, right)), np.asarray(image.crop(box)) != 0


def read_labels(path: str | os.PathLike[str]) -> Array:
    """Read a mask of classes (H, W): the grey values as they are stored, or the indices of a palette.

    Raises
    ------
    DataError
        As `read_image`, and for an image in colours without a palette.
    """
    with _opened(path) as image:
        if image.mode not in ("1", "L", "P", *GREY_16_BIT):
            raise _refuse(path, f"of mode {image.mode}", "grey values or a palette, which name classes")
        return np.asarray(image).astype(np.int32)


def read_pixels(path: str | os.PathLike[str]) -> Array:
    """Read an image as it is stored: uint8, uint16 or float32, of shape (1, H, W) or (3, H, W).

    Raises
    ------
    DataError
        As `read_image`.
    """
    with _opened(path) as image:
        return _pixels(path, image)


def _pixels(path: str | os.PathLike[str], image: Any) -> Array:
    """What `read_pixels` makes of an opened image."""
    if image.mode in ("1", "L", "LA", "La"):
        return np.asarray(image if image.mode == "L" else image.convert("L"))[None]
    if image.mode in GREY_16_BIT:
        return np.asarray(image).astype(np.uint16)[None]
    if image.mode == "I":
        return _within(path, np.asarray(image), 65535).astype(np.uint16)[None]
    if image.mode == "F":
        return _within(path, np.asarray(image), 1)[None]
    return np.ascontiguousarray(np.asarray(image.convert("RGB")).transpose(2, 0, 1))


def to_float(pixels: Array) -> Array:
    """Pixels of uint8, uint16 or bool as float32 from 0 to 1; float32 as it is."""
    if pixels.dtype == np.float32:
        return pixels
    full = 1 if pixels.dtype == np.bool_ else np.iinfo(pixels.dtype).max
    values = pixels.astype(np.float32)
    values /= np.float32(full)
    return values


@contextlib.contextmanager
def _opened(path: str | os.PathLike[str]) -> Iterator[Any]:
    """The opened and decoded Pillow image; whatever Pillow raises becomes a DataError."""
    from PIL import Image

    _check_file(path)
    try:
        with Image.open(path, formats=FORMATS) as image:
            _check_header(path, image)
            if image.format == "PNG":
                _check_sums(path)
            image.load()
            yield image
    except DataError:
        raise
    except Image.UnidentifiedImageError as error:
        raise _refuse(path, "not an image", "one of " + ", ".join(FORMATS)) from error
    except Image.DecompressionBombError as error:
        raise _refuse(path, "too large", f"at most {MAX_PIXELS} pixels") from error
    except Exception as error:
        raise _refuse(path, f"damaged ({error})", "an image that can be decoded") from error


def _content(path: str | os.PathLike[str]) -> bytes:
    """What a file of at most `SMALL_FILE` bytes holds."""
    size = _check_file(path)
    if size > SMALL_FILE:
        return b""
    try:
        file = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))  # open() asks the system more often
        try:
            return os.read(file, size)
        finally:
            os.close(file)
    except OSError:
        return b""  # Pillow will say why


def _check_file(path: str | os.PathLike[str]) -> int:
    """The size of a file that can be read."""
    try:
        found = os.stat(path)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise _refuse(path, f"unreadable ({reason})", "a file that can be read") from error
    if not stat.S_ISREG(found.st_mode):
        raise _refuse(path, "not a file", "an image file")
    if found.st_size == 0:
        raise _refuse(path, "empty (0 bytes)", "an image")
    return found.st_size


def _check_header(path: str | os.PathLike[str], image: Any) -> None:
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise _refuse(path, f"{width} x {height} pixels", f"at most {MAX_PIXELS} pixels")
    frames = getattr(image, "n_frames", 1)
    if frames > 1:
        raise _refuse(path, f"an image of {frames} frames", "one frame")


def _check_sums(path: str | os.PathLike[str]) -> None:
    """Look at the checksum of each chunk of a PNG file."""
    with open(path, "rb") as file:
        for _ in pieces(file):
            pass


def _within(path: str | os.PathLike[str], values: Array, full: int) -> Array:
    """`values`, if all lie from 0 to `full`."""
    low, high = values.min(), values.max()
    if not (low >= 0 and high <= full):
        raise _refuse(path, f"of values from {low} to {high}", f"values from 0 to {full} ({values.dtype})")
    return values


def _refuse(path: str | os.PathLike[str], value: str, expected: str) -> DataError:
    return DataError("read_image", repr(os.fspath(path)), value, expected)


def write_png(path: str | os.PathLike[str], array: Array) -> None:
    """Write a PNG file; a reader sees the old file or the whole new one, never a part.

    Parameters
    ----------
    path : path
        Where to; a file of that name is replaced.
    array : array (H, W), (1, H, W), (3, H, W) or (4, H, W)
        uint8, or bool (false is black, true white), or floats, where 0 is black and 1 is
        full and values beyond are clipped; grey images may be uint16 too.

    Raises
    ------
    ShapeError
        If the shape is none of these.
    ArgumentError
        If the dtype is none of these, or a float is NaN.
    StorageError
        If the file cannot be written; an earlier file is left as it was.
    """
    from PIL import Image

    content = io.BytesIO()
    Image.fromarray(_to_pixels(np.asarray(array))).save(content, format="PNG")
    write_whole(path, content.getvalue())


def _to_pixels(array: Array) -> Array:
    """uint8 or uint16 pixels (H, W), or uint8 (H, W, 3) or (H, W, 4)."""
    plane = array[0] if array.ndim == 3 and array.shape[0] == 1 else array
    coloured = plane.ndim == 3 and plane.shape[0] in (3, 4)
    if 0 in plane.shape or not (plane.ndim == 2 or coloured):
        raise ShapeError("write_png", "array", array.shape, "(H, W), (1, H, W), (3, H, W) or (4, H, W)")
    if plane.dtype == np.bool_:
        plane = plane * np.uint8(255)
    elif plane.dtype.kind == "f":
        if np.isnan(plane).any():
            raise ArgumentError("write_png", "array", "partly NaN", "numbers from 0 to 1")
        plane = np.rint(plane.clip(0, 1) * 255).astype(np.uint8)
    if plane.dtype != np.uint8 and (coloured or plane.dtype != np.uint16):
        expected = "uint8, bool, float, or uint16 if grey"
        raise ArgumentError("write_png", "array", f"of dtype {plane.dtype}", expected)
    return np.ascontiguousarray(plane.transpose(1, 2, 0) if coloured else plane)
