"""Read as Pillow reads it, or left to Pillow."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tests.fuzzing import damaged, many_cases
from tinyconv.data import plain_png
from tinyconv.data.images import MAX_PIXELS, read_mask, read_object
from tinyconv.data.plain_png import read_plain_object

HEADER = struct.pack(">IIBBBBB", 4, 2, 8, 0, 0, 0, 0)
LINES = bytes([0, 1, 2, 3, 4, 2, 0, 0, 0, 9])


def png(*chunks: tuple[bytes, bytes]) -> bytes:
    body = b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + body


def file_of(lines: bytes, header: bytes = HEADER) -> bytes:
    return png((b"IHDR", header), (b"IDAT", zlib.compress(lines)), (b"IEND", b""))


def whole(content: bytes) -> Any:
    """The image (H, W), or None."""
    found = read_plain_object(content, MAX_PIXELS)
    if found is None:
        return None
    size, rows, pixels = found
    image = np.zeros(size, np.uint8)
    image[rows] = pixels
    return image


def by_pillow(content: bytes) -> Any:
    with Image.open(io.BytesIO(content)) as image:
        return np.asarray(image)


@settings(max_examples=100, deadline=None)
@given(seed=st.integers(0, 2**32), blank=st.integers(0, 8))
def test_every_filter_is_undone_as_pillow_undoes_it(seed: int, blank: int) -> None:
    """The bytes of a row mean something under any filter, so random ones will do; some rows are empty."""
    rng = np.random.default_rng(seed)
    height, width = rng.integers(1, 12, 2)
    lines = rng.integers(0, 256, (height, 1 + width), np.uint8)
    lines[:, 0] %= 5
    lines[rng.integers(0, height, blank)] = 0
    content = file_of(lines.tobytes(), struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    np.testing.assert_array_equal(whole(content), by_pillow(content), strict=True)


def test_only_the_rows_that_hold_something_come_back() -> None:
    mask = np.zeros((9, 7), np.uint8)
    mask[3:5, 2:4] = 255
    file = io.BytesIO()
    Image.fromarray(mask).save(file, format="PNG")
    size, rows, pixels = read_plain_object(file.getvalue(), MAX_PIXELS)
    assert size == (9, 7) and rows.start == 3 and rows.stop < 9
    np.testing.assert_array_equal(pixels, mask[rows])
    assert read_plain_object(file_of(bytes(10)), MAX_PIXELS)[1] == slice(0, 0)


def test_image_data_in_several_chunks() -> None:
    packed = zlib.compress(LINES)
    parts = [(b"IDAT", packed[:3]), (b"IDAT", b""), (b"IDAT", packed[3:])]
    assert whole(png((b"IHDR", HEADER), *parts, (b"IEND", b""))).tolist() == [[1, 2, 3, 4], [1, 2, 3, 13]]


IDAT, IEND = (b"IDAT", zlib.compress(LINES)), (b"IEND", b"")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"P5 4 2 255\n" + LINES,
        file_of(LINES)[:30],
        file_of(LINES)[:-1],
        png((b"IHDR", HEADER), IDAT),
        png((b"IHDR", HEADER), IEND),
        png((b"IHDR", HEADER), (b"IDAT", b"x"), IEND),
        png((b"IHDR", HEADER), (b"acTL", b"\0\0\0\2\0\0\0\0"), IDAT, IEND),
        png((b"IHDR", HEADER), (b"tRNS", b"\0\0"), IDAT, IEND),
        png((b"IHDR", HEADER), (b"IDAT", b"\0\0" + IDAT[1][2:]), IEND),
        png((b"IHDR", HEADER), (b"IDAT", IDAT[1][:8]), IEND),
        png((b"IHDR", HEADER), (b"IHDR", struct.pack(">II", 9, 1) + HEADER[8:]), IDAT, IEND),
        png((b"IHDR", HEADER), IDAT, (b"IHDR", HEADER), IEND),
        png((b"IHDR", HEADER), (b"IDAT", b"\x88\x1c" + IDAT[1][2:]), IEND),
        file_of(LINES[:-1]),
        file_of(LINES + b"\0"),
        file_of(b"\5" + LINES[1:]),
        file_of(LINES).replace(IDAT[1], IDAT[1][:-1] + b"?"),
        *(
            file_of(LINES, HEADER[:8] + bytes(kind))
            for kind in [(1, 0, 0, 0, 0), (16, 0, 0, 0, 0), (8, 2, 0, 0, 0), (8, 0, 0, 0, 1), (8, 0, 1, 0, 0)]
        ),
        *(file_of(LINES, struct.pack(">II", *size) + HEADER[8:]) for size in [(0, 2), (4, 0)]),
    ],
)
def test_other_kinds_and_damaged_files_are_left_to_pillow(content: bytes) -> None:
    assert whole(file_of(LINES)) is not None
    assert whole(content) is None


def test_the_checksum_of_the_stream_is_not_looked_at() -> None:
    content = png((b"IHDR", HEADER), (b"IDAT", IDAT[1][:-1] + b"?"), IEND)
    assert IDAT[1][-1:] != b"?" and whole(content).tolist() == [[1, 2, 3, 4], [1, 2, 3, 13]]
    with pytest.raises(OSError):
        by_pillow(content)


def test_no_more_is_inflated_than_the_header_says() -> None:
    bomb = file_of(bytes(2**26))
    assert whole(bomb) is None
    large = file_of(bytes(10), struct.pack(">II", 2**31 - 1, 2**31 - 1) + HEADER[8:])
    assert whole(large) is None
    assert read_plain_object(file_of(LINES), 7) is None


@many_cases()
@given(content=damaged([file_of(LINES)]))
def test_fuzz_damage_is_left_to_pillow_or_changes_nothing(content: bytes) -> None:
    found = whole(content)
    assert found is None or found.tolist() == [[1, 2, 3, 4], [1, 2, 3, 13]]


@many_cases()
@given(packed=damaged([IDAT[1]]))
def test_fuzz_damage_before_the_checksum_was_made(packed: bytes) -> None:
    found = whole(png((b"IHDR", HEADER), (b"IDAT", packed), IEND))
    assert found is None or found.shape == (2, 4)


def test_large_files_are_not_read_as_a_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "mask.png"
    path.write_bytes(file_of(LINES))
    monkeypatch.setattr("tinyconv.data.images.SMALL_FILE", 20)
    monkeypatch.setattr("tinyconv.data.images.read_plain_object", lambda content, most: content or None)
    size, box, mask = read_object(path)
    assert size == (2, 4)
    np.testing.assert_array_equal(mask, read_mask(path)[box])


@pytest.mark.parametrize("name", ["zlib", "zlib_ng.zlib_ng"])
def test_either_library_inflates(name, monkeypatch):
    """Also what is larger than the header says, or damaged."""
    monkeypatch.setattr(plain_png, "zlib", pytest.importorskip(name))
    mask = np.zeros((300, 301), np.uint8)
    mask[40:60, 50:90] = 255
    file = io.BytesIO()
    Image.fromarray(mask).save(file, format="PNG")
    size, rows, pixels = read_plain_object(file.getvalue(), mask.size)
    assert size == mask.shape and np.array_equal(pixels, mask[rows]) and pixels.sum() == mask.sum()
    for data in (
        zlib.compress(LINES + b"0"),
        zlib.compress(LINES[:-1]),
        zlib.compress(LINES)[:2] + b"\xff" * 9,
    ):
        assert read_plain_object(png((b"IHDR", HEADER), (b"IDAT", data), (b"IEND", b"")), 99) is None
