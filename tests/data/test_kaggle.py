from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tinyconv.data import NucleiFolder
from tinyconv.data.datasets import is_fluorescence, kaggle
from tinyconv.errors import ArgumentError, DataError

Save = Callable[..., Path]


def test_items_are_images_and_merged_masks(kaggle_folder: Path) -> None:
    data = NucleiFolder(kaggle_folder)
    assert [data.name(i) for i in range(len(data))] == ["a", "b", "c", "d"]
    image, mask = data[0]
    assert image.shape == (1, 16, 20) and mask.shape == (1, 16, 20)
    assert image.dtype == mask.dtype == np.float32
    assert mask.sum() == 4 * 4 + 3 * 5
    assert set(image[mask > 0]) == {np.float32(200) / np.float32(255)}
    assert data[2][0].shape == (3, 16, 20)
    np.testing.assert_allclose(data[2][0][:, 0, 0], [200 / 255, 100 / 255, 180 / 255], atol=1e-7)


def test_instances_are_numbered_by_file_name(kaggle_folder: Path) -> None:
    labels = NucleiFolder(kaggle_folder).instances(1)
    assert labels.dtype == np.int32 and labels.shape == (24, 32)
    assert np.bincount(labels.ravel()).tolist() == [24 * 32 - 31, 16, 15]
    assert labels[2, 1] == 1 and labels[10, 8] == 2


def test_the_smaller_of_overlapping_nuclei_lies_on_top(tmp_path: Path, save: Save) -> None:
    small, large = np.zeros((2, 8, 8), bool)
    small[3:5, 3:5] = True
    large[1:7, 1:7] = True
    save(tmp_path, "x", np.zeros((8, 8), np.uint8), [small, large])
    labels = NucleiFolder(tmp_path).instances(0)
    assert (labels == 1).sum() == 4 and (labels == 2).sum() == 32


def test_nuclei_at_the_borders_and_masks_without_one(tmp_path: Path, save: Save) -> None:
    corner, nothing, row = np.zeros((3, 8, 9), bool)
    corner[6:, 7:] = True
    row[0] = True
    save(tmp_path, "x", np.zeros((8, 9), np.uint8), [corner, nothing, row])
    Image.fromarray(row).save(tmp_path / "x" / "masks" / "02.png")  # one bit for each pixel
    np.testing.assert_array_equal(NucleiFolder(tmp_path).instances(0), corner + 3 * row)


def test_more_nuclei_than_a_byte_can_number(tmp_path: Path, save: Save) -> None:
    nuclei = np.eye(300, dtype=bool).reshape(300, 15, 20)
    save(tmp_path, "x", np.zeros((15, 20), np.uint8), [])
    for number, nucleus in enumerate(nuclei):
        Image.fromarray(nucleus).save(tmp_path / "x" / "masks" / f"{number:03}.png")
    np.testing.assert_array_equal(NucleiFolder(tmp_path).instances(0).ravel(), np.arange(1, 301))


@pytest.mark.parametrize("mode", ["L", "1", "RGB", "RGBA", "P", "LA"])
def test_masks_of_every_kind_of_pixel(tmp_path: Path, save: Save, mode: str) -> None:
    nucleus = np.zeros((8, 9), bool)
    nucleus[2:4, 3:8] = True
    save(tmp_path, "x", np.zeros((8, 9), np.uint8), [nucleus])
    Image.fromarray(nucleus.astype(np.uint8) * 255).convert(mode).save(tmp_path / "x" / "masks" / "00.png")
    np.testing.assert_array_equal(NucleiFolder(tmp_path).instances(0), nucleus)


@pytest.mark.parametrize("up", [0, 1, 2])
def test_the_folder_itself_or_those_that_hold_it(kaggle_folder: Path, up: int) -> None:
    path = [kaggle_folder, *kaggle_folder.parents][up]
    assert len(NucleiFolder(path)) == 4
    assert len(NucleiFolder(str(path))) == 4


def test_stain_and_size_choose_images(kaggle_folder: Path) -> None:
    def names(**options: object) -> str:
        data = NucleiFolder(kaggle_folder, **options)
        return "".join(data.name(i) for i in range(len(data)))

    assert names(stain="fluorescence") == "ab"
    assert names(stain="fluorescence", size=(16, 20)) == "a"
    assert names(size=(16, 20)) == "acd"
    with pytest.raises(DataError, match="4 images, none of stain 'all' and size"):
        names(size=17)
    with pytest.raises(ArgumentError, match="stain is 'red', expected 'all' or 'fluorescence'"):
        names(stain="red")


def test_fluorescence_is_grey_and_dark() -> None:
    dark = np.full((3, 4, 4), 30, np.uint8)
    assert is_fluorescence(dark)
    assert is_fluorescence(dark.astype(np.uint16) * 257)
    assert is_fluorescence(dark[:1])
    assert not is_fluorescence(dark + np.uint8(100))
    coloured = dark.copy()
    coloured[0] = 60
    assert not is_fluorescence(coloured)


def test_negative_and_outside_indices(kaggle_folder: Path) -> None:
    data = NucleiFolder(kaggle_folder)
    np.testing.assert_array_equal(data[-4][0], data[0][0])
    with pytest.raises(IndexError, match="index 4 is outside NucleiFolder of 4 items"):
        data[4]


def test_items_come_from_memory_and_are_not_shared(kaggle_folder: Path) -> None:
    data = NucleiFolder(kaggle_folder)
    data.check()
    before = [data[i] for i in range(4)]
    shutil.rmtree(kaggle_folder)
    for image, mask in before:
        assert image.any() and mask.any()
    data[0][0][:] = 5
    data[0][1][:] = 5
    np.testing.assert_array_equal(data[0][0], before[0][0])
    np.testing.assert_array_equal(data[0][1], before[0][1])


def test_beyond_the_limit_of_memory_items_are_decoded_again(
    kaggle_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kaggle, "CACHE_BYTES", 1000)
    data = NucleiFolder(kaggle_folder)
    data.check()
    shutil.rmtree(kaggle_folder)
    assert data[0][0].shape == (1, 16, 20)
    with pytest.raises(DataError, match=r"b\.png"):
        data[1]


def test_files_beside_the_folders_and_hidden_ones_are_passed_over(kaggle_folder: Path) -> None:
    (kaggle_folder / "labels.csv").write_text("id")
    (kaggle_folder / ".trash").mkdir()
    (kaggle_folder / "a" / "masks" / ".DS_Store").write_text("x")
    assert len(NucleiFolder(kaggle_folder)) == 4


def _remove_image(root: Path) -> None:
    (root / "b" / "images" / "b.png").unlink()


def _second_image(root: Path) -> None:
    shutil.copy(root / "b" / "images" / "b.png", root / "b" / "images" / "b2.png")


def _remove_images_folder(root: Path) -> None:
    shutil.rmtree(root / "b" / "images")


def _remove_masks(root: Path) -> None:
    for file in (root / "b" / "masks").iterdir():
        file.unlink()


def _remove_masks_folder(root: Path) -> None:
    shutil.rmtree(root / "b" / "masks")


def _other_file_in_masks(root: Path) -> None:
    (root / "b" / "masks" / "third.jpg").touch()


def _truncate_image(root: Path) -> None:
    path = root / "b" / "images" / "b.png"
    path.write_bytes(path.read_bytes()[:-60])


def _truncate_mask(root: Path) -> None:
    path = root / "b" / "masks" / "01.png"
    path.write_bytes(path.read_bytes()[:45])


def _empty_mask_file(root: Path) -> None:
    (root / "b" / "masks" / "01.png").write_bytes(b"")


def _mask_of_another_size(root: Path) -> None:
    Image.new("L", (20, 16)).save(root / "b" / "masks" / "01.png")


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (_remove_images_folder, "b/images' is missing, expected a folder, as in <id>/images"),
        (_remove_image, "b/images' is a folder of 0 images, expected one PNG image"),
        (_second_image, "b/images' is a folder of 2 images, expected one PNG image"),
        (_remove_masks_folder, "b/masks' is missing, expected a folder, as in <id>/images"),
        (_remove_masks, "b/masks' is a mask folder without masks, expected one PNG file per nucleus"),
        (_other_file_in_masks, "b/masks/third.jpg' is no PNG file, expected only PNG files in masks/"),
        (_truncate_image, "b/images/b.png' is damaged"),
        (_truncate_mask, "b/masks/01.png' is damaged"),
        (_empty_mask_file, "b/masks/01.png' is empty (0 bytes), expected an image"),
        (_mask_of_another_size, "b/masks/01.png' is (16, 20), expected (24, 32), the height and width of"),
    ],
)
def test_damage_is_an_error_that_names_the_file(
    kaggle_folder: Path, damage: Callable[[Path], None], message: str
) -> None:
    NucleiFolder(kaggle_folder).check()
    damage(kaggle_folder)
    with pytest.raises(DataError) as caught:
        NucleiFolder(kaggle_folder).check()
    assert message.replace("/", os.sep) in str(caught.value)


def test_folders_without_data_are_errors(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"gone.*expected a folder of <id>/images/\*\.png"):
        NucleiFolder(tmp_path / "gone")
    with pytest.raises(DataError, match=r"without subfolders, expected <id>/images/\*\.png"):
        NucleiFolder(tmp_path)
    (tmp_path / "x").mkdir()
    with pytest.raises(DataError, match="images' is missing"):
        NucleiFolder(tmp_path)
