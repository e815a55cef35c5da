from __future__ import annotations

import numpy as np

from tinyconv.viz import augmentation_sheet


def shift(image, mask, rng):
    move = int(rng.integers(1, 5))
    return np.roll(image, move, -1), np.roll(mask, move, -1)


def test_a_picture_for_each_transform_and_seed(tmp_path):
    image, mask = np.zeros((2, 1, 20, 24))
    image[:, 5:9, 5:9] = mask[:, 5:9, 5:9] = 1
    path = tmp_path / "sheet.png"
    figure = augmentation_sheet(image, mask, {"shift": shift, "none": lambda i, m, r: (i, m)}, (3, 4), path)
    titles = [axis.get_title() for axis in figure.axes if axis.images]
    assert titles == ["as it is", "shift, seed 3", "shift, seed 4", "none, seed 3", "none, seed 4"]
    first, moved, _, same, _ = (axis.images[0].get_array() for axis in figure.axes if axis.images)
    move = int(np.random.default_rng(3).integers(1, 5))
    np.testing.assert_array_equal(moved, np.roll(first, move, 1))
    np.testing.assert_array_equal(same, first)
    assert path.read_bytes()[:4] == b"\x89PNG"


def test_the_middle_slice_of_a_volume():
    image, mask = np.zeros((2, 1, 5, 8, 9))
    image[:, 2] = 0.6
    figure = augmentation_sheet(image, mask, {}, (0,))
    (axis,) = figure.axes
    assert (axis.images[0].get_array() > 100).all()
