"""The filters of PNG undone as Pillow undoes them, and the box of what is not black."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

import tinyconv as tc
from tinyconv.kernels import png

FILTERS = 5


def by_pillow(lines: Any) -> Any:
    """The image (H, W) of a file that holds these filtered rows (H, 1 + W)."""
    height, length = lines.shape
    header = struct.pack(">IIBBBBB", length - 1, height, 8, 0, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(lines.tobytes())), (b"IEND", b"")]
    file = b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks
    )
    with Image.open(io.BytesIO(file)) as image:
        return np.asarray(image)


on_each_backend = pytest.mark.parametrize("backend", ["reference", "auto"])


@on_each_backend
@settings(max_examples=200, deadline=None)
@given(seed=st.integers(0, 2**32), sizes=st.tuples(st.integers(1, 40), st.integers(1, 40)), few=st.booleans())
def test_as_pillow(backend: str, seed: int, sizes: tuple[int, int], few: bool) -> None:
    """Any bytes mean something under any filter. Some rows are empty, and some nearly."""
    rng = np.random.default_rng(seed)
    height, width = sizes
    lines = rng.integers(0, 256, (height, 1 + width), np.uint8)
    if few:
        lines[:, 1:] *= rng.random((height, width)) < 2 / width
    lines[:, 0] %= FILTERS
    lines[rng.random(height) < 0.4] = 0
    image = by_pillow(lines)
    with tc.kernel_backend(backend):
        box, pixels = png.object_in(lines.ravel(), 1 + width)
    shown = np.zeros_like(image)
    shown[box] = pixels
    np.testing.assert_array_equal(shown, image, strict=True)
    used = [np.flatnonzero(image.any(axis=axis)) for axis in (1, 0)]
    assert box == tuple(slice(u[0], u[-1] + 1) if u.size else slice(0, 0) for u in used)


@on_each_backend
def test_by_hand(backend: str) -> None:
    """Left + up - corner is 8 + 9 - 5 = 12 for the last pixel, and 9 is nearest to it."""
    lines = np.array([[1, 5, 4], [4, 3, 1], [0, 0, 0]], np.uint8)
    with tc.kernel_backend(backend):
        box, pixels = png.object_in(lines.ravel(), 3)
    assert box == (slice(0, 2), slice(0, 2)) and pixels.tolist() == [[5, 9], [8, 10]]


@on_each_backend
@pytest.mark.parametrize("row", [0, 1, 2])
def test_no_such_filter(backend: str, row: int) -> None:
    lines = np.ones((3, 4), np.uint8)
    lines[row, 0] = FILTERS
    with tc.kernel_backend(backend):
        assert png.object_in(lines.ravel(), 4) is None


@on_each_backend
def test_a_row_of_zeros_and_no_such_filter(backend: str) -> None:
    lines = np.array([[0, 0], [255, 0]], np.uint8)
    with tc.kernel_backend(backend):
        assert png.object_in(lines.ravel(), 2) is None
