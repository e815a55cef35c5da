"""Masks of one object in PNG files, several times as fast as Pillow reads them.

A data set may have forty such files to an image, nearly all of them black. Pillow inflates each row by
itself; here all are inflated at once, and only the rows that are not empty are decoded. Whatever is
unusual or damaged is left to Pillow, which knows all kinds of PNG. It does not look at the checksums of the
image data, and would read other pixels from a damaged file: `pieces` looks at them, for both. One thing that
Pillow would refuse is read here: a zlib stream with a wrong checksum at its end, in chunks whose own are
right.

The format: Portable Network Graphics (PNG) Specification, third edition, W3C; the filters are its section 9.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from struct import Struct
from typing import Any, BinaryIO
from zlib import crc32

import numpy as np

zlib: Any = import_module("zlib_ng.zlib_ng" if find_spec("zlib_ng") else "zlib")

Array = Any

SIGNATURE = b"\x89PNG\r\n\x1a\n"
START = SIGNATURE + b"\0\0\0\rIHDR"
LENGTH, HEADER = Struct(">I"), Struct(">IIBBBBB")
GREY_8_BIT = (8, 0, 0, 0, 0)
"""Bits, kind of colour, compression, filters, interlacing."""

DEFLATE = 8
"""The compression, in a byte whose other half says how large the window is, 7 for the largest."""

NONE, SUB, UP, AVERAGE, PAETH = range(5)

WORD = 8
PIECE = 2**20
"""Bytes: longer chunks are read in pieces."""


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
    rows = _used_rows(filtered, 1 + width)
    lines = np.frombuffer(filtered, np.uint8).reshape(height, 1 + width)[rows]
    kinds, pixels = lines[:, 0].tolist(), lines[:, 1:].copy()
    return None if max(kinds, default=NONE) > PAETH else ((height, width), rows, _unfilter(kinds, pixels))


def pieces(file: BinaryIO) -> Iterator[tuple[bytes, bytes]]:
    """The name of each chunk of a PNG file, up to IEND, with what it holds: long chunks in several pieces.

    Raises
    ------
    ValueError
        If the file ends before IEND, or at the end of a chunk whose checksum is wrong.
    """
    file.seek(len(SIGNATURE))
    name = b""
    while name != b"IEND":
        head = _read(file, 8)
        (left,), name = LENGTH.unpack_from(head), head[4:]
        checksum = crc32(name)
        while True:
            piece = _read(file, min(left, PIECE))
            checksum, left = crc32(piece, checksum), left - len(piece)
            if not left:
                break
            yield name, piece
        if _read(file, 4) != LENGTH.pack(checksum):
            raise ValueError("a checksum is wrong")
        yield name, piece


def _read(file: BinaryIO, size: int) -> bytes:
    found = file.read(size)
    if len(found) < size:
        raise ValueError("it is cut off")
    return found


def _image_data(content: bytes) -> bytes:
    """What the IDAT chunks hold; nothing if there are others after the header, or a checksum is wrong."""
    parts = []
    try:
        for place, (name, piece) in enumerate(pieces(io.BytesIO(content))):
            if name == b"IDAT":
                parts.append(piece)
            elif name != b"IEND" and place > 0:
                return b""
    except ValueError:
        return b""
    return b"".join(parts)


def _inflated(packed: bytes, size: int) -> bytes | None:
    """The `size` bytes of a zlib stream (RFC 1950), if it holds so many.

    Its Adler-32 is not looked at, nor whether it is there: the checksums of the chunks are right, and for
    a small image this one takes about as long as to inflate.
    """
    if len(packed) < 6 or packed[0] & 0x8F != DEFLATE or packed[1] & 32 or int.from_bytes(packed[:2]) % 31:
        return None
    stream = zlib.decompressobj(-15)
    try:
        found = stream.decompress(packed[2:], size + 1)
    except zlib.error:
        return None
    return found if stream.eof and len(found) == size else None


def _used_rows(filtered: bytes, length: int) -> slice:
    """From the first to the last of the rows of `length` bytes that hold more than zeros.

    Eight bytes are looked at at once, then single ones in the first and the last of those.
    """
    words = np.frombuffer(filtered, np.uint64, len(filtered) // WORD)
    marks = (words != 0).tobytes() + (b"\1" if filtered[words.nbytes :].strip(b"\0") else b"")
    first, last = WORD * marks.find(1), WORD * marks.rfind(1)
    if first < 0:
        return slice(0, 0)
    begin = first + WORD - len(filtered[first : first + WORD].ljust(WORD, b"\0").lstrip(b"\0"))
    end = last + len(filtered[last : last + WORD].rstrip(b"\0"))
    return slice(begin // length, (end - 1) // length + 1)


def _unfilter(kinds: list[int], pixels: Array) -> Array:
    """Undo the filters of rows (n, W), in place; above the first one all is 0."""
    above = np.zeros(pixels.shape[1], np.uint8)
    for kind, row in zip(kinds, pixels, strict=True):
        if kind == SUB:
            np.add.accumulate(row, out=row)
        elif kind == UP:
            np.add(row, above, out=row)
        elif kind != NONE:
            _add_neighbours(row, above, kind == PAETH)
        above = row
    return pixels


def _add_neighbours(row: Array, above: Array, paeth: bool) -> None:
    """Undo the filter of the average, or of Paeth, in place.

    Left of the first number that is not 0, in the row or above it, all stay 0. Right of the last one each
    follows from the one before alone, so from where one is 0 on all are.
    """
    used = np.flatnonzero(row | above)
    if not used.size:
        return
    begin, end = int(used[0]), int(used[-1]) + 2
    found = _from_neighbours(row[begin:end].tolist(), above[begin:end].tolist(), paeth)
    if end < row.size and found[-1]:
        end = row.size
        found = _from_neighbours(row[begin:].tolist(), above[begin:].tolist(), paeth)
    row[begin:end] = found


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
