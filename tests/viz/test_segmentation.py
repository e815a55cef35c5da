"""Facts about single pixels of overlays, error pictures and sheets."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import binary_erosion

from tinyconv.errors import DtypeError, ShapeError
from tinyconv.viz.images import to_plane, to_rgb
from tinyconv.viz.segmentation import contour, error_image, overlay, segmentation_sheet
from tinyconv.viz.style import CONTOUR, FALSE_NEGATIVE, FALSE_POSITIVE, TRUE_POSITIVE, rgb


def same(pixel, colour):
    return pixel.tolist() == rgb(colour).tolist()


def test_each_kind_of_error_has_its_colour():
    picture = error_image(np.array([[1, 0], [1, 0]]), np.array([[0.5, 0.9], [0.49, 0.0]]))
    assert picture.dtype == np.uint8
    assert same(picture[0, 0], TRUE_POSITIVE)
    assert same(picture[0, 1], FALSE_POSITIVE)
    assert same(picture[1, 0], FALSE_NEGATIVE)
    assert picture[1, 1].tolist() == [0, 0, 0]


def test_contour_is_what_erosion_takes_away():
    mask = np.random.default_rng(0).random((20, 30)) < 0.7
    assert np.array_equal(contour(mask), mask & ~binary_erosion(mask, border_value=1))


def test_contour_separates_touching_objects():
    labels = np.repeat([[1, 1, 1, 2, 2, 2]], 4, axis=0)
    assert contour(labels)[0].tolist() == [False, False, True, True, False, False]
    assert not contour(labels > 0).any()


@pytest.mark.parametrize("shape", [(5, 6), (1, 5, 6), (3, 5, 6), (4, 5, 6), (5, 6, 1), (5, 6, 3), (5, 6, 4)])
def test_overlay_changes_the_contour_only(shape):
    image = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)
    mask = np.zeros((5, 6), bool)
    mask[1:4, 1:5] = True
    picture = overlay(image, mask)
    assert picture.shape == (5, 6, 3)
    assert same(picture[1, 1], CONTOUR)
    untouched = ~contour(mask)
    assert np.array_equal(picture[untouched], to_rgb(image)[untouched])
    assert untouched.sum() == 30 - 10


def test_overlay_leaves_the_image_alone():
    image = np.zeros((4, 4, 3), np.uint8)
    overlay(image, np.eye(4))
    assert not image.any()


def test_channel_first_and_last_give_the_same_picture():
    image = np.random.default_rng(0).random((3, 5, 6))
    assert np.array_equal(to_rgb(image), to_rgb(np.moveaxis(image, 0, -1)))


def test_opacity_is_left_out():
    image = np.random.default_rng(0).random((5, 6, 4))
    assert np.array_equal(to_rgb(image), to_rgb(image[:, :, :3]))


def test_bytes_stay_as_they_are_without_stretching():
    image = np.arange(256, dtype=np.uint8).reshape(16, 16)
    assert np.array_equal(to_rgb(image, stretch=False)[:, :, 1], image)


def test_stretching_makes_a_dark_image_visible():
    dark = np.linspace(0.02, 0.1, 10_000).reshape(100, 100)
    bright = to_rgb(dark)
    assert (bright.min(), bright.max()) == (0, 255)
    assert not to_rgb(np.zeros((3, 3))).any()


@pytest.mark.parametrize("count", [1, 3])
def test_sheet_has_four_pictures_per_image(count, tmp_path):
    rng = np.random.default_rng(0)
    images, truths = rng.random((count, 3, 9, 11)), rng.random((count, 1, 9, 11)) < 0.3
    figure = segmentation_sheet(images, truths, truths, tmp_path / "sheet.png", scores=[1.0] * count)
    assert [axis.get_title() for axis in figure.axes[:4]] == ["image", "truth", "prediction", "error"]
    assert len(figure.axes) == 4 * count
    assert figure.axes[0].get_ylabel() == "Dice 1.000"
    assert same(figure.axes[3].images[0].get_array()[truths[0, 0]][0], TRUE_POSITIVE)
    assert (tmp_path / "sheet.png").read_bytes().startswith(b"\x89PNG")
    legend = [text.get_text() for text in figure.legends[0].get_texts()]
    assert any("false positive" in text for text in legend)
    assert any("false negative" in text for text in legend)


def test_sheet_takes_images_of_different_sizes():
    images = [np.zeros((8, 8)), np.ones((5, 13, 3), np.uint8), np.zeros((1, 1, 1))]
    masks = [np.zeros((8, 8), bool), np.ones((5, 13), np.int32), np.zeros((1, 1), np.float32)]
    segmentation_sheet(images, masks, masks).canvas.draw()


def test_bad_input_is_named():
    plane = np.zeros((4, 4))
    with pytest.raises(ShapeError, match=r"mask is .*image's size"):
        overlay(plane, np.zeros((4, 5)))
    with pytest.raises(ShapeError, match="prediction is"):
        error_image(plane, np.zeros((5, 4)))
    with pytest.raises(ShapeError, match="image is"):
        to_rgb(np.zeros((2, 4, 5)))
    with pytest.raises(ShapeError, match="mask is"):
        to_plane(np.zeros((2, 4, 4)))
    with pytest.raises(DtypeError, match="finite"):
        to_rgb(np.full((4, 4), np.nan))
    with pytest.raises(ShapeError, match="images is empty"):
        segmentation_sheet([], [], [])
    with pytest.raises(ShapeError, match="scores is of length 2"):
        segmentation_sheet([plane], [plane], [plane], scores=[1.0, 1.0])
