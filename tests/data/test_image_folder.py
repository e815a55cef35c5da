from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tinyconv.data import ImageFolder, MaskFolder, read_labels
from tinyconv.errors import ArgumentError, DataError


def save(path: Path, array: np.ndarray, mode: str | None = None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(np.asarray(array, np.uint8))
    (image if mode is None else image.convert(mode)).save(path)
    return path


@pytest.fixture
def classes(tmp_path: Path) -> Path:
    root = tmp_path / "Bilder für Tests"
    for name, value in (("Äpfel", 10), ("birnen und mehr", 20), ("x", 30)):
        for number in range(3):
            save(root / name / f"{number}.png", np.full((4, 5), value + number))
    save(root / "x" / "deeper" / "colour.JPG", np.full((6, 7, 3), 99))
    return root


def test_images_by_class(classes: Path) -> None:
    (classes / "x" / "notes.txt").write_text("no image")
    save(classes / "x" / ".hidden.png", np.zeros((2, 2)))
    (classes / ".cache").mkdir()
    data = ImageFolder(classes)
    assert data.classes == ("birnen und mehr", "x", "Äpfel")
    assert len(data) == 10 and data.labels.tolist() == [0] * 3 + [1] * 4 + [2] * 3
    assert data.name(0) == str(Path("birnen und mehr", "0.png"))
    image, label = data[4]
    assert label == 1 and type(label) is int and image.dtype == np.float32
    np.testing.assert_allclose(image, np.full((1, 4, 5), 31 / 255), atol=1e-7)
    assert data[data.files.index(classes / "x" / "deeper" / "colour.JPG")][0].shape == (3, 6, 7)


def test_class_folders_that_are_none(classes: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="a folder of 0 folders"):
        ImageFolder(classes / "Äpfel")
    with pytest.raises(DataError, match="unreadable"):
        ImageFolder(tmp_path / "gone")
    (classes / "empty").mkdir()
    with pytest.raises(DataError, match="empty' is a folder without images"):
        ImageFolder(classes)


@pytest.mark.skipif(os.name == "nt", reason="links")
def test_links_that_lead_in_circles(classes: Path) -> None:
    (classes / "x" / "circle").symlink_to(classes, target_is_directory=True)
    (classes / "x" / "self.png").symlink_to("self.png")
    data = ImageFolder(classes)
    assert len(data) == 11
    with pytest.raises(DataError, match=r"self\.png' is unreadable \(Too many levels of symbolic links\)"):
        data[data.files.index(classes / "x" / "self.png")]


@pytest.fixture
def masked(tmp_path: Path) -> Path:
    for number in range(3):
        save(tmp_path / "images" / f"cell {number}.jpg", np.full((8, 6, 3), 40))
        save(tmp_path / "masks" / f"cell {number}.png", np.eye(8, 6) * (1 + number))
    return tmp_path


def test_images_with_masks(masked: Path) -> None:
    data = MaskFolder(masked)
    assert len(data) == 3 and data.name(2) == "cell 2.jpg"
    image, mask = data[1]
    assert image.shape == (3, 8, 6) and mask.dtype == np.float32
    np.testing.assert_array_equal(mask, np.eye(8, 6)[None])
    image, mask = MaskFolder(masked, num_classes=4)[2]
    assert mask.dtype == np.int64 and np.unique(mask).tolist() == [0, 3]
    with pytest.raises(DataError, match="of classes up to 3, expected 0 to 1"):
        MaskFolder(masked, num_classes=2)[2]
    with pytest.raises(ArgumentError, match="num_classes"):
        MaskFolder(masked, num_classes=0)


def test_masks_that_do_not_fit(masked: Path) -> None:
    save(masked / "masks" / "cell 1.png", np.zeros((6, 8)))
    data = MaskFolder(masked)
    with pytest.raises(DataError, match=r"cell 1\.png' is \(6, 8\), expected \(8, 6\).*cell 1\.jpg"):
        data[1]
    (masked / "masks" / "cell 0.png").unlink()
    with pytest.raises(DataError, match=r"cell 0\.jpg' is alone"):
        MaskFolder(masked)
    save(masked / "masks" / "cell 0.tif", np.zeros((8, 6)))
    save(masked / "masks" / "cell 0.png", np.zeros((8, 6)))
    with pytest.raises(DataError, match="one of two"):
        MaskFolder(masked)
    with pytest.raises(DataError, match="unreadable"):
        MaskFolder(masked / "images")


def test_classes_by_palette(tmp_path: Path) -> None:
    indices = np.arange(12, dtype=np.uint8).reshape(3, 4) % 5
    image = Image.new("P", (4, 3))
    image.putpalette([7, 7, 7] * 256)
    image.putdata(indices.ravel().tolist())
    image.save(tmp_path / "palette.png")
    labels = read_labels(tmp_path / "palette.png")
    assert labels.dtype == np.int32
    np.testing.assert_array_equal(labels, indices)
    Image.fromarray(indices.astype(np.uint16) + 300).save(tmp_path / "deep.png")
    np.testing.assert_array_equal(read_labels(tmp_path / "deep.png"), indices.astype(int) + 300)
    save(tmp_path / "colour.png", np.zeros((3, 4, 3)))
    with pytest.raises(DataError, match="of mode RGB"):
        read_labels(tmp_path / "colour.png")
