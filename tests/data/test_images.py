from __future__ import annotations

import errno
import io
import os
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tinyconv.data import read_image, read_mask, write_png
from tinyconv.data.images import MAX_PIXELS, read_object, read_pixels
from tinyconv.errors import ArgumentError, DataError, ShapeError, StorageError

RNG = np.random.default_rng(0)
GREY = RNG.integers(0, 256, (5, 7), dtype=np.uint8)
RGB = RNG.integers(0, 256, (5, 7, 3), dtype=np.uint8)


def _saved(path: Path, image: Image.Image, **options: object) -> Path:
    image.save(path, **options)
    return path


def test_grey_is_divided_by_255(tmp_path: Path) -> None:
    image = read_image(_saved(tmp_path / "grey.png", Image.fromarray(GREY)))
    assert image.dtype == np.float32
    np.testing.assert_array_equal(image, (GREY[None] / 255).astype(np.float32))


def test_rgb_has_channels_first(tmp_path: Path) -> None:
    image = read_image(_saved(tmp_path / "rgb.png", Image.fromarray(RGB)))
    np.testing.assert_allclose(image, RGB.transpose(2, 0, 1) / 255, atol=1e-7)


@pytest.mark.parametrize("alpha", [0, 7, 255])
def test_alpha_is_ignored(tmp_path: Path, alpha: int) -> None:
    rgba = np.dstack([RGB, np.full((5, 7), alpha, np.uint8)])
    image = read_image(_saved(tmp_path / "rgba.png", Image.fromarray(rgba)))
    np.testing.assert_allclose(image, RGB.transpose(2, 0, 1) / 255, atol=1e-7)


def test_grey_with_alpha_stays_grey(tmp_path: Path) -> None:
    both = Image.merge("LA", [Image.fromarray(GREY), Image.fromarray(GREY)])
    np.testing.assert_allclose(read_image(_saved(tmp_path / "la.png", both)), GREY[None] / 255, atol=1e-7)


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_16_bit_keeps_its_precision(tmp_path: Path, suffix: str) -> None:
    deep = RNG.integers(0, 65536, (5, 7), dtype=np.uint16)
    image = read_image(_saved(tmp_path / f"deep.{suffix}", Image.fromarray(deep)))
    np.testing.assert_allclose(image, deep[None] / 65535, atol=1e-7)


def test_16_bit_pgm(tmp_path: Path) -> None:
    deep = RNG.integers(0, 65536, (5, 7), dtype=np.uint16)
    path = tmp_path / "deep.pgm"
    path.write_bytes(b"P5 7 5 65535\n" + deep.astype(">u2").tobytes())
    np.testing.assert_allclose(read_image(path), deep[None] / 65535, atol=1e-7)


def test_one_bit(tmp_path: Path) -> None:
    bits = GREY > 127
    image = read_image(_saved(tmp_path / "bits.png", Image.fromarray(bits)))
    np.testing.assert_array_equal(image, bits[None].astype(np.float32))


def test_palette_becomes_the_colours_it_names(tmp_path: Path) -> None:
    image = Image.fromarray(np.array([[0, 1], [1, 0]], np.uint8))
    image = Image.frombytes("P", image.size, image.tobytes())
    image.putpalette([255, 0, 0, 0, 51, 255])
    read = read_image(_saved(tmp_path / "palette.png", image))
    np.testing.assert_allclose(read[:, 0], [[1, 0], [0, 0.2], [0, 1]], atol=1e-7)


def test_cmyk(tmp_path: Path) -> None:
    ink = np.zeros((2, 2, 4), np.uint8)
    ink[0, 0] = (255, 0, 0, 0)
    image = Image.frombytes("CMYK", (2, 2), ink.tobytes())
    read = read_image(_saved(tmp_path / "ink.tif", image))
    np.testing.assert_allclose(read[:, 0, 0], [0, 1, 1], atol=1e-7)
    np.testing.assert_allclose(read[:, 1, 1], [1, 1, 1], atol=1e-7)


def test_float_tiff_between_0_and_1_is_kept(tmp_path: Path) -> None:
    values = RNG.random((5, 7), dtype=np.float32)
    np.testing.assert_array_equal(read_image(_saved(tmp_path / "f.tif", Image.fromarray(values)))[0], values)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -0.1, 300])
def test_float_tiff_of_other_values_is_refused(tmp_path: Path, bad: float) -> None:
    values = np.full((5, 7), bad, np.float32)
    with pytest.raises(DataError, match=r"f\.tif.*values from 0 to 1"):
        read_image(_saved(tmp_path / "f.tif", Image.fromarray(values)))


def test_one_pixel_and_50000_wide(tmp_path: Path) -> None:
    assert read_image(_saved(tmp_path / "dot.png", Image.new("L", (1, 1), 51))).tolist() == [
        [[pytest.approx(0.2)]]
    ]
    assert read_image(_saved(tmp_path / "wide.png", Image.new("L", (50_000, 1)))).shape == (1, 1, 50_000)


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "P", "1", "I;16"])
def test_mask_is_true_where_not_black(tmp_path: Path, mode: str) -> None:
    truth = GREY > 127
    full = 1 if mode == "I;16" else 255
    image = Image.fromarray(truth.astype(np.uint16 if mode == "I;16" else np.uint8) * full)
    mask = read_mask(_saved(tmp_path / "mask.png", image if mode == "I;16" else image.convert(mode)))
    assert mask.dtype == np.bool_
    np.testing.assert_array_equal(mask, truth)


def test_missing_empty_and_foreign_files_are_named(tmp_path: Path) -> None:
    empty, text = tmp_path / "empty.png", tmp_path / "text.png"
    empty.touch()
    text.write_text("This is no image.")
    cases = [
        (tmp_path / "gone é.png", "No such file"),
        (tmp_path, "not a file"),
        (empty, "empty"),
        (text, "not an image"),
    ]
    for path, reason in cases:
        with pytest.raises(DataError, match=reason) as caught:
            read_image(path)
        assert repr(str(path)) in str(caught.value)


def test_a_symlink_to_itself_is_named(tmp_path: Path) -> None:
    loop = tmp_path / "loop.png"
    loop.symlink_to(loop)
    with pytest.raises(DataError, match=r"loop\.png"):
        read_image(loop)


def test_postscript_is_refused_since_reading_it_starts_another_program(tmp_path: Path) -> None:
    path = tmp_path / "page.eps"
    path.write_text("%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n")
    with pytest.raises(DataError, match="not an image"):
        read_image(path)


def test_several_frames_are_refused(tmp_path: Path) -> None:
    frames = [Image.new("L", (4, 4), value) for value in (10, 200)]
    path = _saved(tmp_path / "stack.tif", frames[0], save_all=True, append_images=frames[1:])
    with pytest.raises(DataError, match=r"stack\.tif.*2 frames"):
        read_image(path)


def _png_that_claims(width: int, height: int) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(b"\0" * 100)), (b"IEND", b"")]
    body = b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + body


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("size", [(8193, 8192), (16_000, 16_000), (2**31 - 1, 2**31 - 1)])
def test_a_header_that_claims_too_much_is_refused(tmp_path: Path, size: tuple[int, int]) -> None:
    path = tmp_path / "bomb.png"
    path.write_bytes(_png_that_claims(*size))
    with pytest.raises(DataError, match=rf"bomb\.png.*at most {MAX_PIXELS} pixels"):
        read_image(path)


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize(
    ("mode", "read"), [("L", read_mask), ("L", lambda path: read_object(path)[2]), ("RGB", read_pixels)]
)
def test_no_bit_of_a_png_that_flips_changes_the_pixels_unnoticed(
    tmp_path: Path, mode: str, read: Callable[[Path], np.ndarray]
) -> None:
    path = _saved(tmp_path / "pixels.png", Image.fromarray((GREY > 127) * np.uint8(255)).convert(mode))
    content, expected = path.read_bytes(), read(path)
    for place in range(8 * len(content)):
        flipped = bytearray(content)
        flipped[place // 8] ^= 1 << place % 8
        path.write_bytes(flipped)
        try:
            np.testing.assert_array_equal(read(path), expected, strict=True)
        except DataError as error:
            assert "pixels.png" in str(error)


def test_a_wrong_checksum_after_a_long_chunk_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tinyconv.data.plain_png.PIECE", 16)
    path = _saved(tmp_path / "rgb.png", Image.fromarray(RGB))
    content = path.read_bytes()
    np.testing.assert_array_equal(read_pixels(path), RGB.transpose(2, 0, 1))
    path.write_bytes(content[:-14] + bytes([content[-14] ^ 1]) + content[-13:])
    with pytest.raises(DataError, match=r"rgb\.png' is damaged \(a checksum is wrong\)"):
        read_pixels(path)


@pytest.mark.filterwarnings("ignore::UserWarning")
@settings(max_examples=60, deadline=None)
@given(data=st.data(), suffix=st.sampled_from(["png", "tiff", "jpeg", "bmp", "ppm"]))
def test_a_truncated_file_gives_the_image_or_a_data_error(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, suffix: str
) -> None:
    whole = io.BytesIO()
    Image.fromarray(np.kron(RGB, np.ones((4, 4, 1), np.uint8))).save(whole, format=suffix)
    content = whole.getvalue()
    path = tmp_path_factory.mktemp("cut") / f"cut.{suffix}"
    path.write_bytes(content)
    expected = read_image(path)
    path.write_bytes(content[: data.draw(st.integers(0, len(content) - 1))])
    try:
        image = read_image(path)
    except DataError as error:
        assert f"cut.{suffix}" in str(error)
    else:
        np.testing.assert_array_equal(image, expected)


@pytest.mark.filterwarnings("ignore::UserWarning")
@settings(max_examples=100, deadline=None)
@given(
    content=st.binary(max_size=60),
    start=st.sampled_from([b"\x89PNG\r\n\x1a\n", b"II*\0", b"GIF89a", b"BM", b"P5 "]),
)
def test_any_bytes_give_an_image_or_a_data_error(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, start: bytes
) -> None:
    path = tmp_path_factory.mktemp("fuzz") / "fuzz"
    path.write_bytes(start + content)
    try:
        image = read_image(path)
    except DataError as error:
        assert "fuzz" in str(error)
    else:
        assert image.ndim == 3 and image.min() >= 0 and image.max() <= 1


@pytest.mark.parametrize("shape", [(6, 5), (1, 6, 5), (3, 6, 5)])
def test_written_floats_come_back_rounded_to_8_bits(tmp_path: Path, shape: tuple[int, ...]) -> None:
    array = RNG.random(shape).astype(np.float32)
    write_png(tmp_path / "out.png", array)
    expected = array.reshape(-1, 6, 5)
    assert np.abs(read_image(tmp_path / "out.png") - expected).max() <= 0.5 / 255 + 1e-6
    assert [file.name for file in tmp_path.iterdir()] == ["out.png"]


def test_written_masks_labels_and_clipped_values(tmp_path: Path) -> None:
    path = tmp_path / "out.png"
    write_png(path, GREY > 99)
    np.testing.assert_array_equal(read_mask(path), GREY > 99)
    labels = (GREY.astype(np.uint16) + 1) * 200
    write_png(path, labels)
    np.testing.assert_allclose(read_image(path)[0], labels / 65535, atol=1e-7)
    write_png(path, np.array([[-1.0, 2.0, 0.0]]))
    np.testing.assert_array_equal(read_image(path), [[[0, 1, 0]]])
    write_png(path, np.zeros((4, 6, 5), np.uint8))
    with Image.open(path) as image:
        assert (image.mode, image.size) == ("RGBA", (5, 6))


def test_arrays_that_are_no_image_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "out.png"
    for shape in [(5,), (6, 5, 3), (2, 6, 5), (0, 5), (1, 1, 6, 5)]:
        with pytest.raises(ShapeError, match="write_png: array"):
            write_png(path, np.zeros(shape))
    with pytest.raises(ArgumentError, match="NaN"):
        write_png(path, np.full((2, 2), np.nan))
    with pytest.raises(ArgumentError, match="int64"):
        write_png(path, np.zeros((2, 2), int))
    assert not path.exists()


def test_a_full_disk_leaves_the_earlier_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk is full at the moment that the pixels are forced to it."""
    path = tmp_path / "out.png"
    write_png(path, np.ones((4, 4)))
    before = path.read_bytes()

    def fail(file: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(StorageError, match=r"out\.png.*No space left"):
        write_png(path, np.zeros((4, 4)))
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_is_not_there_is_a_storage_error(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"out\.png.*No such file"):
        write_png(tmp_path / "gone" / "out.png", np.zeros((4, 4)))
