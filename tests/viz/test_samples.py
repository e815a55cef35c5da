"""Single pixels of grids of images, and the figures around them."""

from __future__ import annotations

import numpy as np
import pytest

from tinyconv.errors import ArgumentError, DtypeError, ShapeError
from tinyconv.viz import sample_grid, tile_images


def test_every_image_is_where_it_belongs():
    images = np.random.default_rng(0).random((5, 3, 4, 6))
    picture = tile_images(images, columns=3)
    assert picture.shape == (4 + 1 + 4, 6 + 1 + 6 + 1 + 6, 3) and picture.dtype == np.uint8
    inside = np.zeros(picture.shape[:2], bool)
    for index, image in enumerate(images):
        top, left = 5 * (index // 3), 7 * (index % 3)
        inside[top : top + 4, left : left + 6] = True
        found = picture[top : top + 4, left : left + 6].astype(float)
        assert np.abs(found - 255 * np.moveaxis(image, 0, -1)).max() <= 0.5
    assert (picture[~inside] == 255).all() and inside.sum() == 5 * 24


def test_black_and_white():
    images = np.array([-3.0, -1, 0, 1, 9]).reshape(5, 1, 1, 1)
    picture = tile_images(images, columns=9, low=-1, high=1)
    assert picture[0, ::2, 0].tolist() == [0, 0, 128, 255, 255]
    assert (picture[:, :, 0] == picture[:, :, 2]).all()


@pytest.mark.parametrize("suffix", (".png", ".pdf", ".svg"))
def test_a_figure_of_samples(tmp_path, suffix):
    images = np.random.default_rng(0).random((10, 1, 8, 8))
    path = tmp_path / f"samples{suffix}"
    figure = sample_grid(images, title="ten", path=path)
    (axis,) = figure.axes
    assert (axis.images[0].get_array() == tile_images(images, columns=4)).all()
    assert axis.get_title() == "ten" and axis.get_yticklabels() == []
    assert path.read_bytes()[:4] in (b"\x89PNG", b"%PDF", b"<?xm")


def test_the_pixels_of_the_file_are_those_of_the_images(tmp_path):
    """Black and white halves of one image are black and white halves of the drawn square."""
    from PIL import Image

    images = np.zeros((1, 1, 2, 2))
    images[0, 0, :, 1] = 1
    figure = sample_grid(images - 1, low=-1, high=0, path=tmp_path / "half.png", size=2)
    pixels = np.asarray(Image.open(tmp_path / "half.png").convert("L"))
    box = figure.axes[0].get_window_extent()
    middle = pixels[pixels.shape[0] - int((box.y0 + box.y1) / 2)]
    left, right = int(0.75 * box.x0 + 0.25 * box.x1), int(0.25 * box.x0 + 0.75 * box.x1)
    assert box.width > 100 and abs(box.width - box.height) < 2
    assert (middle[left], middle[right]) == (0, 255)


def test_names_of_rows_stand_beside_the_middle_of_their_rows():
    figure = sample_grid(np.zeros((6, 3, 5, 4)), columns=2, rows=["a", "b", "c"])
    (axis,) = figure.axes
    assert [text.get_text() for text in axis.get_yticklabels()] == ["a", "b", "c"]
    assert axis.get_yticks().tolist() == [2, 8, 14]


@pytest.mark.parametrize("shape", ((4, 4), (2, 4, 4), (2, 2, 4, 4), (0, 1, 4, 4)))
def test_wrong_shapes(shape):
    with pytest.raises(ShapeError, match=r"tile_images: images"):
        sample_grid(np.zeros(shape))


def test_wrong_arguments():
    images = np.zeros((4, 1, 2, 2))
    for columns in (0, -1, 1.5, True):
        with pytest.raises(ArgumentError, match="columns"):
            tile_images(images, columns)
    with pytest.raises(ArgumentError, match="low is 1"):
        tile_images(images, 2, low=1, high=1)
    with pytest.raises(ShapeError, match="rows is of length 1, expected 2"):
        sample_grid(images, columns=2, rows=["a"])
    with pytest.raises(DtypeError, match="images"):
        sample_grid(np.full((1, 1, 2, 2), "x"))
    with pytest.raises(DtypeError, match="not finite"):
        sample_grid(np.full((1, 1, 2, 2), np.nan))
