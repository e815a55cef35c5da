"""Each class has its colour, the background is black."""

from __future__ import annotations

import numpy as np
import pytest

from tinyconv.errors import ArgumentError, ShapeError
from tinyconv.viz import label_image
from tinyconv.viz.labels import COLOURS
from tinyconv.viz.style import rgb


def test_every_class_has_a_colour_of_its_own():
    picture = label_image(np.arange(9).reshape(1, 3, 3))
    assert picture.shape == (3, 3, 3) and picture.dtype == np.uint8
    assert [pixel.tolist() for pixel in picture.reshape(9, 3)] == [rgb(colour).tolist() for colour in COLOURS]
    assert len(set(COLOURS)) == 9 and not picture[0, 0].any()
    assert label_image(np.array([[True, False]]))[0, 1].tolist() == [0, 0, 0]


def test_what_is_no_class_is_named():
    for wrong in ([[9]], [[-1]], [[0.5]]):
        with pytest.raises(ArgumentError, match="integers from 0 to 8"):
            label_image(np.array(wrong))
    with pytest.raises(ShapeError, match="plane"):
        label_image(np.zeros((2, 2, 2), int))
