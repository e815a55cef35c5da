from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tinyconv.data import CIFAR10, DataLoader
from tinyconv.errors import DataError


def write(folder: Path, labels: np.ndarray, images: np.ndarray, parts: int = 5) -> None:
    """CIFAR-10's files: `parts` of the images for training, the same once more for the test."""
    folder.mkdir(parents=True, exist_ok=True)
    records = np.concatenate([labels[:, None], images.reshape(len(images), -1)], axis=1).astype(np.uint8)
    for number, some in enumerate(np.array_split(records, parts), start=1):
        some.tofile(folder / f"data_batch_{number}.bin")
    records[:3].tofile(folder / "test_batch.bin")


@pytest.fixture
def made() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    return rng.integers(0, 10, 12), rng.integers(0, 256, (12, 3, 32, 32))


@pytest.mark.parametrize("below", [".", "cifar-10-batches-bin"])
def test_the_records_come_back(tmp_path: Path, made, below: str) -> None:
    labels, images = made
    write(tmp_path / below, labels, images)
    train, test = CIFAR10(tmp_path), CIFAR10(tmp_path, train=False)
    assert (len(train), len(test)) == (12, 3)
    for index in (0, 7, -1):
        image, label = train[index]
        assert image.dtype == np.float32 and type(label) is int and label == labels[index]
        np.testing.assert_allclose(image, images[index] / 255, atol=1e-7)
    batch, targets = next(iter(DataLoader(train, batch_size=4)))
    assert batch.shape == (4, 3, 32, 32) and targets.numpy().tolist() == labels[:4].tolist()
    assert len(CIFAR10.classes) == 10 and CIFAR10.classes[3] == "cat"
    with pytest.raises(IndexError, match="outside CIFAR10 of 12"):
        train[12]


def test_the_bytes_of_a_record(tmp_path: Path) -> None:
    """Label, then red row by row, then green, then blue, as the authors describe."""
    record = np.zeros(3073, np.uint8)
    record[0], record[1 + 1024 + 32 + 5] = 9, 255
    for number in range(1, 6):
        record.tofile(tmp_path / f"data_batch_{number}.bin")
    image, label = CIFAR10(tmp_path)[0]
    assert label == 9 and np.argwhere(image).tolist() == [[1, 1, 5]]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "of 0 bytes"),
        (bytes(3072), "of 3072 bytes, expected a multiple of 3073"),
        (bytes([10]) + bytes(3072), "labels up to 10"),
    ],
)
def test_files_that_are_none(tmp_path: Path, made, content: bytes, message: str) -> None:
    write(tmp_path, *made)
    (tmp_path / "data_batch_3.bin").write_bytes(content)
    with pytest.raises(DataError, match=message) as caught:
        CIFAR10(tmp_path)
    assert "data_batch_3.bin" in str(caught.value)


def test_a_missing_file(tmp_path: Path, made) -> None:
    write(tmp_path, *made)
    (tmp_path / "test_batch.bin").unlink()
    with pytest.raises(DataError, match=r"test_batch\.bin' is unreadable"):
        CIFAR10(tmp_path, train=False)
