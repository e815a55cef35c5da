"""Masks of one object in PNG files, several times as fast as Pillow reads them.

A data set may have forty such files to an image, nearly all of them black. Pillow inflates each row by
itself; here all are inflated at once, and only the rows that are not empty are decoded. Whatever is
unusual or damaged is left to Pillow, which knows all kinds of PNG and says what is wrong.

The format: Portable Network Graphics (PNG) Specification, third edition, W3C; the filters are its section 9.
"""

from __future__ import annotations

import zlib
from struct import Struct
from typing import Any

import numpy as np

Array = Any

START = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"
LENGTH, HEADER = Struct(">I"), Struct(">IIBBBBB")
GREY_8_BIT = (8, 0, 0, 0, 0)
"""Bits, kind of colour, compression, filters, interlacing."""

NONE, SUB, UP, AVERAGE, PAETH = range(5)


def read_plain_object(content: bytes, most_pixels: int) -> tuple[tuple[int, int], slice, Array] | None:
    """Read a PNG file of 8 bits of grey: its size (H, W), the rows that may hold something, their pixels.

    Parameters
    ----------
    content : bytes
        The whole file.
    most_pixels : int
        Larger images are not inflated.

    Returns
    -------
    tuple, or None if the file is damaged or of another kind
        The pixels are uint8 (rows, W); those of all other rows are 0.

    Examples
    --------
    >>> import io
    >>> from PIL import Image
    >>> file = io.BytesIO()
    >>> Image.fromarray(np.array([[0, 0], [0, 9], [0, 0]], np.uint8)).save(file, format="PNG")
    >>> size, rows, pixels = read_plain_object(file.getvalue(), most_pixels=6)
    >>> size, rows, pixels.tolist()
    ((3, 2), slice(1, 2, None), [[0, 9]])
    """
    if not content.startswith(START) or len(content) < len(START) + HEADER.size:
        return None
    width, height, *kind = HEADER.unpack_from(content, len(START))
    if tuple(kind) != GREY_8_BIT or not 0 < width * height <= most_pixels:
        return None
    filtered = _inflated(_image_data(content), height * (1 + width))
    if filtered is None:
        return None
    lines = np.frombuffer(filtered, np.uint8).reshape(height, 1 + width)
    used = np.flatnonzero(lines.any(axis=1))
    rows = slice(int(used[0]), int(used[-1]) + 1) if used.size else slice(0, 0)
    kinds, pixels = lines[rows, 0], lines[rows, 1:].copy()
    return None if (kinds > PAETH).any() else ((height, width), rows, _unfilter(kinds, pixels))


def _image_data(content: bytes) -> bytes:
    """What the IDAT chunks hold; nothing if there are other ones, or a checksum is wrong."""
    parts, place, name = [], 8, b""
    while name != b"IEND":
        if place + 12 > len(content):
            return b""
        end = place + 8 + LENGTH.unpack_from(content, place)[0]
        name = content[place + 4 : place + 8]
        if content[end : end + 4] != LENGTH.pack(zlib.crc32(content[place + 4 : end])):
            return b""
        if name == b"IDAT":
            parts.append(content[place + 8 : end])
        elif name not in (b"IHDR", b"IEND"):
            return b""
        place = end + 4
    return b"".join(parts)


def _inflated(packed: bytes, size: int) -> bytes | None:
    """The `size` bytes of a zlib stream, if it holds so many.

    Its checksum is passed over: those of the chunks are right, and it takes as long as to inflate.
    """
    if len(packed) < 6 or packed[0] & 15 != 8 or packed[1] & 32 or int.from_bytes(packed[:2]) % 31:
        return None
    stream = zlib.decompressobj(-15)
    try:
        found = stream.decompress(packed[2:], size + 1)
    except zlib.error:
        return None
    return found if stream.eof and len(found) == size else None


def _unfilter(kinds: Array, pixels: Array) -> Array:
    """Undo the filters of rows (n, W), in place; above the first one all is 0."""
    above = np.zeros(pixels.shape[1], np.uint8)
    for kind, row in zip(kinds.tolist(), pixels, strict=True):
        if kind == SUB:
            np.add.accumulate(row, out=row)
        elif kind == UP:
            np.add(row, above, out=row)
        elif kind != NONE:
            row[:] = _from_neighbours(row.tolist(), above.tolist(), kind == PAETH)
        above = row
    return pixels


def _from_neighbours(row: list[int], above: list[int], paeth: bool) -> list[int]:
    """Undo the filter of the average, or of Paeth: whichever is nearest to left + up - corner."""
    left = corner = 0
    found = []
    for difference, up in zip(row, above, strict=True):
        from_left, from_up, from_corner = abs(up - corner), abs(left - corner), abs(left + up - 2 * corner)
        if not paeth:
            guess = (left + up) // 2
        elif from_left <= from_up and from_left <= from_corner:
            guess = left
        else:
            guess = up if from_up <= from_corner else corner
        left, corner = (difference + guess) % 256, up
        found.append(left)
    return found
