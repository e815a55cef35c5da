from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from tinyconv.data import SyntheticNuclei
from tinyconv.data.datasets import is_fluorescence
from tinyconv.errors import ArgumentError


def test_an_item_is_a_pure_function_of_seed_and_index() -> None:
    data = SyntheticNuclei(20, size=64, seed=3)
    last = data[19]
    for other in (SyntheticNuclei(20, size=64, seed=3), SyntheticNuclei(100, size=64, seed=3)):
        np.testing.assert_array_equal(other[19][0], last[0])
        np.testing.assert_array_equal(other[19][1], last[1])
    assert not np.array_equal(data[18][0], last[0])
    assert not np.array_equal(SyntheticNuclei(20, size=64, seed=4)[19][0], last[0])


@pytest.mark.parametrize("size", [16, 17, 50, 256])
def test_shapes_and_ranges(size: int) -> None:
    data = SyntheticNuclei(10, size=size)
    for i in range(10):
        image, mask = data[i]
        assert image.shape == mask.shape == (1, size, size)
        assert image.dtype == mask.dtype == np.float32
        assert image.min() >= 0 and image.max() <= 1
        np.testing.assert_allclose(image * 255, np.rint(image * 255), atol=1e-4)
        labels = data.instances(i)
        assert labels.shape == (size, size) and labels.dtype == np.int32
        np.testing.assert_array_equal(labels > 0, mask[0] > 0)
        assert np.unique(labels[labels > 0]).tolist() == list(range(1, labels.max() + 1))


def test_images_resemble_fluorescence_slides() -> None:
    """Means of the 220 dark 256x256 images of the 2018 Data Science Bowl: 8 % foreground, 28 nuclei."""
    data = SyntheticNuclei(40)
    drawn = [data.draw(i) for i in range(40)]
    assert all(is_fluorescence(image[None]) for image, _ in drawn)
    assert 0.04 < np.mean([(labels > 0).mean() for _, labels in drawn]) < 0.11
    assert 15 < np.mean([labels.max() for _, labels in drawn]) < 40
    contrast = [np.median(image[labels > 0]) / np.median(image[labels == 0]) for image, labels in drawn]
    assert min(contrast) > 2


def test_some_nuclei_touch() -> None:
    data = SyntheticNuclei(20)
    apart = [(ndimage.label(data.instances(i) > 0)[1], data.instances(i).max()) for i in range(20)]
    assert sum(pieces for pieces, _ in apart) < 0.95 * sum(nuclei for _, nuclei in apart)


def test_arguments_that_make_no_sense() -> None:
    with pytest.raises(ArgumentError, match="count is 0"):
        SyntheticNuclei(0)
    with pytest.raises(ArgumentError, match="size is 15, expected at least 16"):
        SyntheticNuclei(1, size=15)
    with pytest.raises(ArgumentError, match="seed is -1"):
        SyntheticNuclei(1, seed=-1)
    with pytest.raises(IndexError, match="index 2 is outside SyntheticNuclei of 2 items"):
        SyntheticNuclei(2)[2]
