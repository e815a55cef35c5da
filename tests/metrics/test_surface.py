from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy.spatial.distance import cdist, directed_hausdorff

from tinyconv.errors import ArgumentError, ShapeError
from tinyconv.metrics import hausdorff, hausdorff_95, mean_surface_distance, surface_distances


def outline(mask, spacing):
    """The surface's points in mm, pixel by pixel."""
    padded, points = np.pad(mask, 1), []
    for place in np.argwhere(mask):
        steps = [sign * np.eye(mask.ndim, dtype=int)[axis] for axis in range(mask.ndim) for sign in (-1, 1)]
        if not all(padded[tuple(place + 1 + step)] for step in steps):
            points.append(place * np.array(spacing))
    return np.array(points)


MASKS = st.tuples(arrays.arrays(bool, (4, 5, 3)), arrays.arrays(bool, (4, 5, 3)))
SPACINGS = st.tuples(*[st.floats(0.1, 10)] * 3)


@given(MASKS, SPACINGS)
def test_as_scipy_has_them_for_the_points(masks, spacing):
    predicted, target = masks
    if not (predicted.any() and target.any()):
        return
    first, second = outline(predicted, spacing), outline(target, spacing)
    between = cdist(first, second)
    there, back = between.min(axis=1), between.min(axis=0)
    found = surface_distances(predicted, target, spacing)
    np.testing.assert_allclose(np.sort(found[0]), np.sort(there), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(np.sort(found[1]), np.sort(back), rtol=1e-9, atol=1e-12)
    largest = max(directed_hausdorff(first, second)[0], directed_hausdorff(second, first)[0])
    assert hausdorff(predicted, target, spacing) == pytest.approx(largest, rel=1e-9)
    tail = max(np.percentile(there, 95), np.percentile(back, 95))
    assert hausdorff_95(predicted, target, spacing) == pytest.approx(tail, rel=1e-9)
    mean = (there.sum() + back.sum()) / (len(there) + len(back))
    assert mean_surface_distance(predicted, target, spacing) == pytest.approx(mean, rel=1e-9)


def test_two_cubes_that_are_three_mm_apart():
    first, second = np.zeros((2, 12, 12), bool)
    first[2:5, 2:5], second[2:5, 8:11] = True, True
    assert hausdorff(first, second, (1.0, 0.5)) == hausdorff_95(first, second, (1.0, 0.5)) == 3.0
    assert hausdorff(first, second, (0.5, 1.0)) == 6.0
    assert mean_surface_distance(first, second) == pytest.approx((3 * 4 + 2 * 5 + 3 * 6) / 8)


def test_one_stray_pixel_decides_the_largest_distance_only():
    target = np.zeros((60, 60), bool)
    target[10:30, 10:30] = True
    predicted = target.copy()
    predicted[59, 29] = True
    assert hausdorff(predicted, target) == 30
    assert hausdorff_95(predicted, target) == 0
    assert mean_surface_distance(predicted, target) == pytest.approx(30 / (76 + 77))


def test_as_scikit_image_has_it_for_filled_outlines():
    metrics = pytest.importorskip("skimage.metrics")
    rng = np.random.default_rng(2)
    for _ in range(20):
        first, second = rng.random((2, 9, 9)) > 0.9  # single pixels, which are their own outline
        if first.any() and second.any():
            points = metrics.hausdorff_distance(first, second)
            assert hausdorff(first, second) == pytest.approx(points, rel=1e-12)


def test_empty_masks():
    empty, full = np.zeros((3, 3)), np.ones((3, 3))
    for distance in (hausdorff, hausdorff_95, mean_surface_distance):
        assert np.isnan(distance(empty, empty))
        assert distance(full, empty) == distance(empty, full) == np.inf
    there, back = surface_distances(full, empty)
    assert (len(there), len(back)) == (8, 0) and np.isinf(there).all()


def test_a_mask_that_fills_the_image_ends_at_its_border():
    full = np.ones((5, 5))
    there, _ = surface_distances(full, full)
    assert len(there) == 16 and hausdorff(full, full) == 0


@pytest.mark.parametrize(
    ("predicted", "target", "spacing", "error"),
    [
        (np.ones((2, 2)), np.ones((2, 3)), 1, ShapeError),
        (1, 1, 1, ShapeError),
        (np.full((2, 2), 0.5), np.ones((2, 2)), 1, ArgumentError),
        (np.ones((2, 2)), np.full((2, 2), 3), 1, ArgumentError),
        (np.ones((2, 2)), np.ones((2, 2)), (1, 1, 1), ArgumentError),
        (np.ones((2, 2)), np.ones((2, 2)), (0, 1), ArgumentError),
        (np.ones((2, 2)), np.ones((2, 2)), np.nan, ArgumentError),
    ],
)
def test_wrong_arguments(predicted, target, spacing, error):
    for distance in (hausdorff, hausdorff_95, mean_surface_distance):
        with pytest.raises(error, match="surface_distances"):
            distance(predicted, target, spacing)
