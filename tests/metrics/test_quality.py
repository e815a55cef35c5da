from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinyconv.errors import ArgumentError, DtypeError, ShapeError
from tinyconv.metrics import psnr, ssim

theirs = pytest.importorskip("skimage.metrics", reason="scikit-image is not installed")

SHAPES = st.sampled_from([(11, 11), (13, 20), (32, 17)])


def images(seed, shape, scale=1.0):
    rng = np.random.default_rng(seed)
    image = rng.random(shape) * scale
    return image, np.clip(image + 0.2 * scale * rng.standard_normal(shape), 0, scale)


@given(st.integers(0, 2**32), SHAPES, st.sampled_from([1.0, 255.0]))
def test_as_scikit_image_has_them(seed, shape, scale):
    image, reference = images(seed, shape, scale)
    noise = theirs.peak_signal_noise_ratio(reference, image, data_range=scale)
    assert psnr(image, reference, scale) == pytest.approx(noise, rel=1e-12)
    options = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
    similarity = theirs.structural_similarity(reference, image, data_range=scale, **options)
    assert ssim(image, reference, scale) == pytest.approx(similarity, abs=1e-9)


def test_volumes_as_scikit_image_has_them():
    image, reference = images(3, (12, 14, 13))
    options = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
    expected = theirs.structural_similarity(reference, image, data_range=1.0, **options)
    assert ssim(image, reference, 1.0, dimensions=3) == pytest.approx(expected, abs=1e-9)


def test_images_and_channels_each_for_itself():
    image, reference = images(1, (2, 3, 16, 15))
    found = ssim(image, reference, 1.0)
    single = [[ssim(image[n, c], reference[n, c], 1.0) for c in range(3)] for n in range(2)]
    np.testing.assert_allclose(found, single, atol=1e-12)


def test_integers_do_not_wrap_around():
    dark, light = np.zeros((16, 16), np.uint8), np.full((16, 16), 255, np.uint8)
    assert psnr(dark, light, 255) == psnr(light, dark, 255) == 0.0
    assert ssim(dark, light, 255) == pytest.approx(0.01**2 / (1 + 0.01**2))


def test_equal_images():
    image, _ = images(4, (12, 12))
    assert psnr(image, image, 1) == np.inf
    assert ssim(image, image, 1) == pytest.approx(1.0, abs=1e-12)


GOOD = np.zeros((12, 12))


@pytest.mark.parametrize("metric", [psnr, ssim])
@pytest.mark.parametrize(
    ("image", "reference", "data_range", "error"),
    [
        (GOOD, np.zeros((12, 13)), 1, ShapeError),
        (np.zeros((0, 12)), np.zeros((0, 12)), 1, ShapeError),
        (np.full((12, 12), np.nan), GOOD, 1, ArgumentError),
        (GOOD, np.full((12, 12), np.inf), 1, ArgumentError),
        (GOOD, GOOD, 0, ArgumentError),
        (GOOD, GOOD, -1, ArgumentError),
        (GOOD, GOOD, np.inf, ArgumentError),
        (GOOD, GOOD, "1", ArgumentError),
        (GOOD, GOOD, True, ArgumentError),
        (GOOD.astype(complex), GOOD, 1, DtypeError),
    ],
)
def test_wrong_arguments(metric, image, reference, data_range, error):
    with pytest.raises(error, match=metric.__name__):
        metric(image, reference, data_range)


def test_images_without_a_whole_window():
    with pytest.raises(ShapeError, match="at least 11 pixels"):
        ssim(np.zeros((12, 10)), np.zeros((12, 10)), 1)
    with pytest.raises(ShapeError, match="of the last 3 dimensions"):
        ssim(GOOD, GOOD, 1, dimensions=3)
    with pytest.raises(ArgumentError, match="dimensions is 4"):
        ssim(GOOD, GOOD, 1, dimensions=4)
