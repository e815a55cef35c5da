"""What lies in a folder of images and masks, and what of it is trained on."""

from __future__ import annotations

import os

import numpy as np
import pytest
from PIL import Image

from tests.data.test_check import save_volume
from tests.train.configs import make_config
from tinyconv.data import MNI, VolumeFolder
from tinyconv.errors import DataError
from tinyconv.train.mask_sources import KAGGLE, NIFTI, PAIRS, find_folder, find_kind, open_source
from tinyconv.train.recipes import open_data


@pytest.fixture
def save_pairs(tmp_path):
    """A function that makes a folder of images and of these masks."""

    def save(*masks, colours=1):
        for part in ("images", "masks"):
            (tmp_path / part).mkdir(exist_ok=True)
        for number, mask in enumerate(masks):
            image = np.zeros((*mask.shape[:2], colours), np.uint8).squeeze()
            Image.fromarray(image).save(tmp_path / "images" / f"{number}.png")
            Image.fromarray(mask).save(tmp_path / "masks" / f"{number}.png")
        return tmp_path

    return save


def mask(*values):
    """8 x 8 pixels, the first of these values."""
    pixels = np.zeros((8, 8), np.uint8)
    pixels.flat[: len(values)] = values
    return pixels


@pytest.mark.parametrize(
    ("masks", "names"),
    [
        ([mask(255), mask(255)], ["object"]),
        ([mask(1), mask()], ["object"]),
        ([mask(1), mask(1, 2)], ["background", "class 1", "class 2"]),
        ([mask(), mask(5)], ["background", *(f"class {number}" for number in range(1, 6))]),
    ],
)
def test_classes_are_those_of_the_masks(save_pairs, masks, names):
    folder = save_pairs(*masks)
    layout, place = find_folder(str(folder), None)
    kind = find_kind(layout, place, None)
    assert (layout, list(kind.names), kind.exclusive, kind.channels) == (PAIRS, names, len(names) > 1, 1)
    assert not kind.volumes
    assert len(find_kind(layout, place, 9).names) == 9


def test_colours(save_pairs):
    folder = save_pairs(mask(255), colours=3)
    assert find_kind(PAIRS, folder, None).channels == 3
    coloured = np.zeros((8, 8, 3), np.uint8)
    coloured[0, 0] = 7, 0, 200
    assert find_kind(PAIRS, save_pairs(mask(255), coloured), None).names == ("object",)


def test_grey_values_that_are_no_classes(save_pairs):
    folder = save_pairs(mask(1, 2), mask(10, 200))
    with pytest.raises(DataError, match=r"1\.png.* is of grey values up to 200, expected .*--classes"):
        find_kind(PAIRS, folder, None)


def test_files_that_are_to_be_left_out_do_not_stop_the_look_at_the_others(save_pairs):
    folder = save_pairs(mask(255), mask(1, 2), mask(255))
    for part, number in (("images", 0), ("masks", 1)):
        os.truncate(folder / part / f"{number}.png", 40)
    with pytest.raises(DataError, match=r"0\.png"):
        find_kind(PAIRS, folder, None)
    assert find_kind(PAIRS, folder, None, skip=True).names == ("object",)
    config = make_config("unet", str(folder), None, quick=False, on_bad_image="skip", size=16)
    assert len(open_source(config)[0]) == 1
    os.truncate(folder / "masks" / "0.png", 0)
    os.truncate(folder / "masks" / "2.png", 0)
    with pytest.raises(DataError, match=r"masks.0\.png.* is empty"):
        find_kind(PAIRS, folder, None, skip=True)


def test_an_image_without_a_mask_is_left_out_and_counted(save_pairs, capsys):
    folder = save_pairs(mask(255), mask(255), mask(255), mask(255))
    (folder / "masks" / "1.png").unlink()
    (folder / "images" / "3.png").unlink()
    with pytest.raises(DataError, match=r"images.1\.png.* is alone, expected a file 1\.\* in masks/ too"):
        make_config("unet", str(folder), None, quick=False)
    config = make_config("unet", str(folder), None, quick=False, on_bad_image="skip", size=16)
    usable, _ = open_source(config)
    assert [usable.dataset.name(index) for index in usable.indices] == ["0.png", "2.png"]
    said = capsys.readouterr().out
    assert "1.png' is alone" in said and "3.png' is alone" in said and "2 of 4 images left out" in said


def test_a_volume_without_a_mask_is_left_out(tmp_path):
    for part, names in (("images", "abc"), ("masks", "bcd")):
        for name in names:
            save_volume(tmp_path / part / f"{name}.nii.gz", np.eye(4, 5, dtype=np.uint8)[..., None])
    with pytest.raises(DataError, match=r"a\.nii\.gz.* is alone, expected a file a\.nii or a\.nii\.gz"):
        VolumeFolder(tmp_path)
    assert find_kind(NIFTI, tmp_path, None, skip=True).names == ("object",)
    found = VolumeFolder(tmp_path, on_bad_image="skip")
    assert [image.name for image, _ in found.pairs] == ["b.nii.gz", "c.nii.gz"]
    assert ["d.nii.gz" in str(error) for error in found.errors] == [False, True]
    (tmp_path / "images" / "b.nii.gz").unlink()
    (tmp_path / "images" / "c.nii.gz").unlink()
    with pytest.raises(DataError, match="alone"):
        VolumeFolder(tmp_path, on_bad_image="skip")


@pytest.mark.parametrize(("largest", "count"), [(1, 1), (3, 4)])
def test_classes_of_volumes(tmp_path, largest, count):
    labels = np.zeros((6, 5, 4), np.uint8)
    labels[1, 1, 1] = largest
    for part, values in (("images", np.ones((6, 5, 4), np.float32)), ("masks", labels)):
        save_volume(tmp_path / part / "a.nii.gz", values)
    layout, folder = find_folder(str(tmp_path), None)
    kind = find_kind(layout, folder, None)
    assert layout == NIFTI and kind.volumes and kind.channels == 1
    assert len(kind.names) == count and kind.exclusive == (count > 1)


def test_other_folders(tmp_path):
    assert find_folder(str(tmp_path), None) == (KAGGLE, tmp_path)
    with pytest.raises(DataError, match="synthetic, hearts"):
        find_folder(str(tmp_path / "gone"), None)


def test_the_held_out_slab_of_the_brain_is_not_trained_on():
    pytest.importorskip("nilearn")
    config = make_config("unet_bn", "mni", None, quick=True)
    training, held_out = open_source(config)
    for found, part in ((training, "training"), (held_out, "held-out")):
        for index, (volume, labels) in enumerate(MNI(part)):
            np.testing.assert_array_equal(found[index][0], volume)
            np.testing.assert_array_equal(found[index][1], labels)
        assert len(found) == len(MNI(part))


@pytest.mark.parametrize(
    ("model", "depth", "size", "items"), [("unet_bn", None, 32, 3 * 16), ("unet3d_bn", 16, 32, 3 * 4)]
)
def test_what_is_trained_on_of_volumes(model, depth, size, items):
    """Three of four volumes: each of their slices, or four crops of each in an epoch."""
    given = {"images": 4, "held_out": 0.25, "size": size, "depth": depth, "widths": "2,4"}
    config = make_config(model, "hearts", None, quick=False, **given)
    training, held_out = open_data(config)
    assert len(training) == items and len(held_out) == 1
    image, labels = training[0]
    expected = (1, *([] if depth is None else [depth]), size, size)
    assert image.shape == labels.shape == expected and set(np.unique(labels)) <= {0, 1, 2}
    assert held_out[0][0].ndim == 4
