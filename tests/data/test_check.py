from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from tests.data.test_cifar import write as write_cifar
from tests.data.test_image_folder import save
from tests.data.test_mnist import _write as write_mnist
from tinyconv.data.check import check
from tinyconv.errors import DataError


def test_images_by_class(tmp_path: Path) -> None:
    for name in ("a", "b"):
        for number in range(3):
            save(tmp_path / name / f"{number}.png", np.zeros((5, 4)))
    report = check(tmp_path)
    assert report.lines == ["images by class: 6 items of 1 x 5 x 4, 2 classes of 3 to 3"]
    assert report.problems == [] and report.items == 6
    os.truncate(tmp_path / "a" / "1.png", 40)
    (tmp_path / "b" / "2.png").write_bytes(b"")
    save(tmp_path / "b" / "0.png", np.zeros((7, 7, 3)))
    report = check(tmp_path)
    assert report.lines == ["images by class: 6 items of 1 x 5 x 4 and 1 other shapes, 2 classes of 3 to 3"]
    assert len(report.problems) == 2
    assert os.path.join("a", "1.png") in str(report.problems[0])
    assert "empty (0 bytes)" in str(report.problems[1])


def test_mnist(tmp_path: Path) -> None:
    folder = tmp_path / "mnist"
    folder.mkdir()
    images, labels = np.zeros((10, 28, 28), np.uint8), np.arange(10, dtype=np.uint8)
    for part in ("train", "t10k"):
        write_mnist(folder, images, labels, part, ".gz")
    report = check(folder)
    assert report.lines[:2] == [
        "files of MNIST, training: 10 items of 1 x 28 x 28, 10 classes of 1 to 1",
        "files of MNIST, test: 10 items of 1 x 28 x 28, 10 classes of 1 to 1",
    ]
    assert report.lines[2] == "train-images-idx3-ubyte.gz: sha256 not as published"


def test_cifar_nuclei_and_masks(tmp_path: Path, kaggle_folder: Path) -> None:
    write_cifar(tmp_path / "cifar" / "cifar-10-batches-bin", np.arange(10), np.zeros((10, 3, 32, 32)))
    assert (
        check(tmp_path / "cifar").lines[0].startswith("files of CIFAR-10, training: 10 items of 3 x 32 x 32")
    )
    for folder in (kaggle_folder, kaggle_folder.parent, kaggle_folder.parent.parent):
        (line,) = check(folder).lines
        assert line.startswith("nuclei, a mask for each: 4 items of 1 x 16 x 20 and ")
    for name in ("images", "masks"):
        save(tmp_path / "both" / name / "1.png", np.zeros((4, 4)))
    assert check(tmp_path / "both").lines == ["images with masks: 1 items of 1 x 4 x 4"]


def test_a_mask_with_one_wrong_bit_is_named(kaggle_folder: Path) -> None:
    mask = next((sorted(kaggle_folder.iterdir())[1] / "masks").iterdir())
    content = bytearray(mask.read_bytes())
    content[content.index(b"IDAT") + 12] ^= 4
    mask.write_bytes(content)
    (problem,) = check(kaggle_folder).problems
    assert mask.name in str(problem) and "damaged" in str(problem)


def test_all_that_is_alone_is_named(tmp_path: Path, kaggle_folder: Path) -> None:
    for name in ("images/1", "masks/1", "images/2", "images/3", "masks/4"):
        save(tmp_path / f"{name}.png", np.zeros((4, 4)))
    report = check(tmp_path)
    assert report.lines == ["images with masks: 1 items of 1 x 4 x 4"] and report.items == 4
    assert [Path(str(problem).split("'")[1]).name for problem in report.problems] == [
        "2.png",
        "3.png",
        "4.png",
    ]
    for folder in sorted(kaggle_folder.iterdir())[:2]:
        for mask in (folder / "masks").iterdir():
            mask.unlink()
    report = check(kaggle_folder)
    assert len(report.problems) == 2 and report.items == 4


def save_volume(path: Path, values: object, steps: tuple[float, float, float] = (1.5, 2.0, 2.5)) -> None:
    nibabel = pytest.importorskip("nibabel")
    path.parent.mkdir(parents=True, exist_ok=True)
    nibabel.save(nibabel.Nifti1Image(values, np.diag([*steps, 1.0])), path)


def test_volumes_with_masks(tmp_path: Path) -> None:
    labels = np.zeros((6, 5, 4), np.uint8)
    labels[1, 1, 1], labels[2, 2, 2] = 2, 7
    for name in ("a.nii", "b.nii.gz", "c.nii.gz"):
        save_volume(tmp_path / "images" / name, np.ones((6, 5, 4), np.float32))
        save_volume(tmp_path / "masks" / name, labels)
    (tmp_path / "images" / "._a.nii.gz").write_bytes(b"not a volume")
    whole = "of 1 x 4 x 5 x 6, voxels of 2.5 x 2 x 1.5 in mm, classes 0, 2, 7"
    assert check(tmp_path).lines == [f"volumes with masks: 3 items {whole}"]
    save_volume(tmp_path / "masks" / "a.nii", labels.astype(np.float32) + 0.5)
    os.truncate(tmp_path / "images" / "c.nii.gz", 60)
    report = check(tmp_path)
    assert report.lines == [f"volumes with masks: 3 items {whole}"] and report.items == 3
    assert ["a.nii" in str(report.problems[0]), "c.nii.gz" in str(report.problems[1])] == [True, True]
    assert len(report.problems) == 2 and "whole numbers from 0 to 255" in str(report.problems[0])
    save_volume(tmp_path / "masks" / "b.nii.gz", labels, (1.0, 2.0, 2.5))
    report = check(tmp_path)
    assert report.lines == ["volumes with masks: 3 items, none of them readable"]
    assert "0.5 mm away" in str(report.problems[1])
    (tmp_path / "masks" / "b.nii.gz").unlink()
    assert "alone, expected a file b" in str(check(tmp_path).problems[0])


def test_volumes_without_masks(tmp_path: Path) -> None:
    for number in range(3):
        save_volume(tmp_path / f"{number}.nii.gz", np.ones((6, 5, 4 + number), np.int16))
    save_volume(tmp_path / "3.nii", np.full((6, 5, 4), np.nan, np.float32), (3.0, 3.0, 3.0))
    save_volume(tmp_path / "4.nii", np.ones((6, 5, 4), np.float32), (3.0, 3.0, 3.0))
    report = check(tmp_path)
    assert report.lines == [
        "volumes without masks: 5 items of 1 x 4 x 5 x 6 and 2 other shapes, "
        "voxels of 2.5 x 2 x 1.5 and 1 other sizes in mm"
    ]
    (problem,) = report.problems
    assert "3.nii" in str(problem) and "finite" in str(problem)


def test_the_brain() -> None:
    pytest.importorskip("nilearn")
    voxels = "voxels of 1 x 1 x 1 in mm, classes 0, 1, 2"
    assert check("mni").lines == [
        f"the brain of MNI, training: 2 items of 1 x 58 x 233 x 197 and 1 other shapes, {voxels}",
        f"the brain of MNI, held-out: 1 items of 1 x 24 x 233 x 197, {voxels}",
    ]


def test_images_alone_are_told_what_is_known(tmp_path: Path) -> None:
    save(tmp_path / "cell.png", np.zeros((5, 4)))
    with pytest.raises(DataError, match="without data that is known, expected images/ beside masks/"):
        check(tmp_path)


@pytest.mark.parametrize("names", [("Images", "Masks"), ("image", "mask"), ("imgs", "labels")])
def test_images_and_masks_of_other_names_are_no_classes(tmp_path: Path, names: tuple[str, str]) -> None:
    for name in names:
        save(tmp_path / name / "cell.png", np.zeros((5, 4)))
    with pytest.raises(DataError, match=f"'{names[0]}' and '{names[1]}', expected 'images' and 'masks'"):
        check(tmp_path)
    save(tmp_path / "third" / "cell.png", np.zeros((5, 4)))
    assert "3 classes" in check(tmp_path).lines[0]


def test_nothing_that_is_known(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "gone"):
        with pytest.raises(DataError):
            check(path)
