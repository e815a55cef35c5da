from __future__ import annotations

import gzip
import struct
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinyconv.data import MNIST, DataLoader, Digits, read_idx
from tinyconv.errors import DataError

CODES = {"u1": 8, "i1": 9, "i2": 0x0B, "i4": 0x0C, "f4": 0x0D, "f8": 0x0E}


def _idx(array: np.ndarray) -> bytes:
    code = CODES[array.dtype.str[1:]]
    head = struct.pack(f">BBBB{array.ndim}I", 0, 0, code, array.ndim, *array.shape)
    return head + array.astype(array.dtype.newbyteorder(">")).tobytes()


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("compressed", [False, True])
def test_an_idx_file_comes_back(tmp_path: Path, code: str, compressed: bool) -> None:
    array = (np.random.default_rng(0).random((3, 4, 5)) * 100).astype(code)
    path = tmp_path / "data"
    path.write_bytes(gzip.compress(_idx(array)) if compressed else _idx(array))
    read = read_idx(path)
    assert read.dtype == array.dtype and read.dtype.isnative and read.flags.writeable
    np.testing.assert_array_equal(read, array)


LABELS = _idx(np.arange(10, dtype=np.uint8))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "a file that starts with nothing"),
        (b"\0\0", "a file that starts with 00 00"),
        (b"\x89PNG\r\n", "a file that starts with 89 50 4e 47"),
        (b"\0\0\x07\x01\0\0\0\x01A", "a file that starts with 00 00 07 01"),
        (b"\0\0\x08\0", "a file that starts with 00 00 08 00"),
        (LABELS[:6], "a header of 6 bytes, expected 8 bytes"),
        (LABELS[:-1], r"9 bytes after the header, expected 10 bytes for shape \(10,\)"),
        (LABELS + b"x", r"more bytes after the header, expected 10 bytes for shape \(10,\)"),
        (gzip.compress(LABELS, mtime=0)[:-9], "damaged"),
        (gzip.compress(LABELS, mtime=0)[:12], "damaged"),
        (b"\x1f\x8bnot gzip", "damaged"),
        (
            struct.pack(">BBBBII", 0, 0, 8, 2, 2**32 - 1, 2**32 - 1) + b"x" * 50,
            "claims 18446744065119617025 bytes",
        ),
        (
            struct.pack(">BBBB4I", 0, 0, 12, 4, 0, 2**15, 2**15, 2**31),
            r"an array of shape \(0, 32768, 32768, 2147483648\)",
        ),
        (bytes([0, 0, 8, 100]) + struct.pack(">100I", *[1] * 100) + b"x", "at most 32 dimensions"),
    ],
)
def test_files_that_are_no_idx(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "train labels"
    path.write_bytes(content)
    with pytest.raises(DataError, match=message) as caught:
        read_idx(path)
    assert repr(str(path)) in str(caught.value)


def test_a_missing_file_and_a_folder(tmp_path: Path) -> None:
    for path in (tmp_path / "gone", tmp_path):
        with pytest.raises(DataError, match="damaged"):
            read_idx(path)


@pytest.mark.parametrize("compressed", [False, True])
def test_memory_is_not_set_aside_for_what_the_file_cannot_hold(tmp_path: Path, compressed: bool) -> None:
    content = struct.pack(">BBBBI", 0, 0, 8, 1, 900_000_000) + b"\0" * 1000
    path = tmp_path / "claims"
    path.write_bytes(gzip.compress(content) if compressed else content)
    tracemalloc.start()
    with pytest.raises(DataError, match="claims 900000000 bytes"):
        read_idx(path)
    assert tracemalloc.get_traced_memory()[1] < 2_000_000
    tracemalloc.stop()


@settings(max_examples=150, deadline=None)
@given(
    content=st.binary(max_size=40),
    start=st.sampled_from([b"", b"\0\0\x08\x01", b"\0\0\x0d\x02", b"\x1f\x8b\x08"]),
)
def test_any_bytes_give_an_array_or_a_data_error(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, start: bytes
) -> None:
    path = tmp_path_factory.mktemp("fuzz") / "fuzz"
    path.write_bytes(start + content)
    try:
        array = read_idx(path)
    except DataError as error:
        assert "fuzz" in str(error)
    else:
        assert array.nbytes <= len(content)


def _write(folder: Path, images: np.ndarray, labels: np.ndarray, part: str, suffix: str = "") -> None:
    for name, array in ((f"{part}-images-idx3-ubyte", images), (f"{part}-labels-idx1-ubyte", labels)):
        content = gzip.compress(_idx(array)) if suffix else _idx(array)
        (folder / (name + suffix)).write_bytes(content)


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_mnist(tmp_path: Path, suffix: str) -> None:
    images = np.random.default_rng(0).integers(0, 256, (6, 28, 28), dtype=np.uint8)
    labels = np.array([3, 1, 4, 1, 5, 9], np.uint8)
    _write(tmp_path, images, labels, "train", suffix)
    _write(tmp_path, images[:2], labels[:2], "t10k", suffix)
    train, test = MNIST(tmp_path), MNIST(tmp_path, train=False)
    assert (len(train), len(test)) == (6, 2)
    image, label = train[2]
    assert image.dtype == np.float32 and type(label) is int and label == 4
    np.testing.assert_allclose(image, images[2][None] / 255, atol=1e-7)
    batch, targets = next(iter(DataLoader(train, batch_size=4)))
    assert batch.shape == (4, 1, 28, 28) and targets.numpy().tolist() == [3, 1, 4, 1]
    with pytest.raises(IndexError, match="index 6 is outside MNIST of 6 items"):
        train[6]


def test_mnist_files_that_do_not_belong_together(tmp_path: Path) -> None:
    with pytest.raises(
        DataError, match=r"a folder with train-images-idx3-ubyte or train-images-idx3-ubyte\.gz"
    ):
        MNIST(tmp_path)
    images, labels = np.zeros((3, 28, 28), np.uint8), np.zeros(3, np.uint8)
    cases = [
        (images, labels[:2], r"of shape \(2,\), uint8, expected \(3,\), uint8"),
        (images[0], labels, r"of shape \(28, 28\), uint8, expected \(count, H, W\)"),
        (images.astype(np.float32), labels, r"float32, expected \(count, H, W\), uint8"),
        (images[:0], labels[:0], r"of shape \(0, 28, 28\)"),
        (images, labels + np.uint8(10), "of labels up to 10, expected labels from 0 to 9"),
    ]
    for some_images, some_labels, message in cases:
        _write(tmp_path, some_images, some_labels, "train")
        with pytest.raises(DataError, match=message):
            MNIST(tmp_path)


def test_digits() -> None:
    digits = Digits()
    image, label = digits[1]
    assert image.shape == (1, 8, 8) and image.dtype == np.float32 and type(label) is int and label == 1
    assert max(image.max() for image, _ in digits) == 1 and min(image.min() for image, _ in digits) == 0
    assert np.bincount(digits.labels).min() >= 170
    assert (image[0] * 16)[0].tolist() == [0, 0, 0, 12, 13, 5, 0, 0]
