from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinyconv.data import (
    Compose,
    Normalize,
    RandomCrop,
    RandomFlip,
    RandomIntensity,
    RandomRotate90,
    Resize,
    normalize,
)
from tinyconv.data.transforms import check_pair, pad_to, resize_image, resize_mask
from tinyconv.errors import ArgumentError, ShapeError

sides = st.integers(1, 12)


def _pair(height: int, width: int, channels: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """An image whose first channel numbers the pixels, and a mask that numbers them too."""
    numbers = np.arange(height * width, dtype=np.float32).reshape(1, height, width)
    return np.concatenate([numbers, np.zeros((channels - 1, height, width), np.float32)]), numbers.copy()


GEOMETRIC = [RandomFlip(), RandomRotate90(), RandomCrop(5), RandomCrop((2, 9))]


@settings(deadline=None)
@given(height=sides, width=sides, which=st.sampled_from(GEOMETRIC), seed=st.integers(0, 2**32))
def test_the_mask_moves_with_the_image_and_neither_is_changed(
    height: int, width: int, which: Any, seed: int
) -> None:
    image, mask = _pair(height, width)
    moved, moved_mask = which(image, mask, np.random.default_rng(seed))
    np.testing.assert_array_equal(moved[:1], moved_mask)
    np.testing.assert_array_equal(image, _pair(height, width)[0])
    np.testing.assert_array_equal(mask, _pair(height, width)[1])
    again, _ = which(image, mask, np.random.default_rng(seed))
    np.testing.assert_array_equal(moved, again)


def _reached(transform: Any, height: int, width: int) -> set[tuple[tuple[int, ...], bytes]]:
    image, mask = _pair(height, width, channels=1)
    results = (transform(image, mask, np.random.default_rng(seed))[0] for seed in range(200))
    return {(result.shape, result.tobytes()) for result in results}


def test_flips_rotations_and_crops_reach_all_they_can() -> None:
    image = _pair(2, 3, channels=1)[0]
    flips = [image, image[:, ::-1], image[:, :, ::-1], image[:, ::-1, ::-1]]
    assert _reached(RandomFlip(), 2, 3) == {(flip.shape, flip.tobytes()) for flip in flips}
    turns = [np.rot90(image, turn, (1, 2)) for turn in range(4)]
    assert _reached(RandomRotate90(), 2, 3) == {(turn.shape, turn.tobytes()) for turn in turns}
    assert len(_reached(RandomCrop(2), 4, 5)) == 3 * 4
    assert _reached(RandomFlip(p=0), 2, 3) == {(image.shape, image.tobytes())}
    assert _reached(RandomFlip(p=1), 2, 3) == {(image.shape, flips[3].tobytes())}


def test_a_smaller_image_is_reflected_before_the_crop() -> None:
    image = np.array([[[1.0, 2.0, 3.0]]], np.float32)
    cropped, _ = RandomCrop((1, 7))(image, image, np.random.default_rng(0))
    assert cropped.tolist() == [[[3, 2, 1, 2, 3, 2, 1]]]


@given(height=sides, width=sides, size=st.tuples(sides, sides))
def test_reflection_extends_to_at_least_the_size(height: int, width: int, size: tuple[int, int]) -> None:
    image = _pair(height, width)[0]
    extended = pad_to(image, size)
    assert extended.shape == (3, max(height, size[0]), max(width, size[1]))
    assert set(np.unique(extended[0])) == set(np.unique(image[0]))


@settings(deadline=None)
@given(height=sides, width=sides, size=st.tuples(sides, sides))
def test_resize_gives_the_size_and_keeps_range_and_labels(
    height: int, width: int, size: tuple[int, int]
) -> None:
    image, mask = _pair(height, width)
    resized, labels = Resize(size)(image, mask, np.random.default_rng(0))
    assert resized.shape == (3, *size) and labels.shape == (1, *size)
    assert image.min() - 1e-4 <= resized.min() and resized.max() <= image.max() * (1 + 1e-6)
    assert set(np.unique(labels)) <= set(np.unique(mask))


def test_resize_by_hand() -> None:
    halves = resize_image(np.array([[[0.0, 2.0], [4.0, 6.0]]], np.float32), (1, 1))
    assert halves.tolist() == [[[3.0]]]
    ramp = np.broadcast_to(np.arange(8, dtype=np.float32), (1, 4, 8))
    np.testing.assert_allclose(resize_image(ramp, (4, 16))[0, 0, 1:-1], np.arange(0.25, 7, 0.5), atol=1e-6)
    assert resize_mask(np.array([[1, 2], [3, 4]]), (4, 4)).tolist() == [
        [1, 1, 2, 2],
        [1, 1, 2, 2],
        [3, 3, 4, 4],
        [3, 3, 4, 4],
    ]
    assert resize_mask(np.arange(9).reshape(1, 9), (1, 3)).tolist() == [[1, 4, 7]]


@pytest.mark.parametrize("size", [(9, 8, 14), (1, 8, 3)])
def test_a_volume_is_resized_along_each_axis(size: tuple[int, int, int]) -> None:
    """As SciPy does where it grows; where it shrinks, a ramp stays one in the middle."""
    from scipy.ndimage import zoom

    volume = np.random.default_rng(0).random((2, 3, 4, 7), dtype=np.float32)
    mask = np.random.default_rng(1).integers(0, 5, (1, 3, 4, 7))
    resized, labels = Resize(size)(volume, mask, np.random.default_rng(0))
    assert resized.shape == (2, *size) and labels.shape == (1, *size) and resized.dtype == np.float32
    if size == (9, 8, 14):
        factors = np.divide(size, volume.shape[1:])
        expected = [zoom(channel, factors, order=1, mode="nearest", grid_mode=True) for channel in volume]
        np.testing.assert_allclose(resized, expected, atol=1e-6)
        assert np.array_equal(labels, np.kron(mask, np.ones((1, 3, 2, 2))))
    ramps = np.stack(np.meshgrid(*(np.arange(n) + 0.5 for n in (24, 24, 28)), indexing="ij"))
    shrunk, _ = Resize((6, 8, 14))(ramps, ramps, np.random.default_rng(0))
    middles = np.meshgrid(
        *(factor * (np.arange(n) + 0.5) for factor, n in ((4, 6), (3, 8), (2, 14))), indexing="ij"
    )
    inner = (slice(None), *[slice(1, -1)] * 3)
    np.testing.assert_allclose(shrunk[inner], np.stack(middles)[inner], atol=1e-4)


def test_resize_of_slices_and_of_what_is_no_volume() -> None:
    volume = np.random.default_rng(0).random((2, 3, 4, 7), dtype=np.float32)
    resized, mask = Resize(5)(volume, volume, np.random.default_rng(0))
    for place in range(3):
        np.testing.assert_array_equal(resized[:, place], resize_image(volume[:, place], (5, 5)))
        np.testing.assert_array_equal(mask[:, place], resize_mask(volume[:, place], (5, 5)))
    for image, size in ((volume[0], (2, 3, 4)), (volume[0, 0], (2, 2)), (volume[None], (2, 2))):
        with pytest.raises(ShapeError):
            Resize(size)(image, image, np.random.default_rng(0))


def test_resize_keeps_image_and_mask_aligned() -> None:
    image = np.zeros((1, 60, 80), np.float32)
    image[:, 20:40, 30:70] = 1
    resized, mask = Resize((33, 47))(image, image.copy(), np.random.default_rng(0))
    for array in (resized[0], mask[0]):
        rows, columns = np.nonzero(array > 0.5)
        assert abs(rows.mean() - (29.5 + 0.5) * 33 / 60 + 0.5) < 0.5
        assert abs(columns.mean() - (49.5 + 0.5) * 47 / 80 + 0.5) < 0.5


def test_normalize_maps_the_two_percentiles_to_0_and_1() -> None:
    image = np.random.default_rng(0).normal(5, 3, (3, 40, 50)).astype(np.float32)
    normal = normalize(image)
    assert normal.dtype == np.float32
    low, high = np.percentile(normal, (1, 99.8))
    assert abs(low) < 1e-6 and abs(high - 1) < 1e-6
    np.testing.assert_allclose(normalize(image * 7 - 2), normal, atol=1e-5)


@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize("size", [(1, 1, 3), (1, 10, 10), (3, 37, 41)])
def test_the_percentiles_are_those_of_numpy(kind: type, size: tuple[int, ...]) -> None:
    image = np.random.default_rng(sum(size)).normal(size=size).astype(kind)
    low, high = np.percentile(image, (1, 99.8))
    np.testing.assert_allclose(normalize(image), (image - low) / (high - low), rtol=1e-6, atol=1e-6)


def test_normalize_of_images_without_spread() -> None:
    assert not normalize(np.full((1, 5, 5), 0.3, np.float32)).any()
    spike = np.zeros((1, 100, 100), np.float32)
    spike[0, 3, 3] = 0.5
    normal = normalize(spike)
    assert normal.max() == 1 and np.count_nonzero(normal) == 1
    assert normalize(np.ones((1, 1, 1), np.float32)).tolist() == [[[0.0]]]
    tiny = np.zeros((1, 10, 50), np.float32)
    tiny[0, 0, 0] = 1e-45  # the percentiles lie nearer to each other than any two float32
    assert np.isfinite(normalize(tiny)).all() and normalize(tiny).max() == 1


@given(seed=st.integers(0, 2**32))
def test_intensity_keeps_order_and_stays_in_its_range(seed: int) -> None:
    image = np.linspace(-0.2, 1, 50, dtype=np.float32).reshape(1, 5, 10)
    changed, mask = RandomIntensity(0.3, 0.1, 0.5)(image, image, np.random.default_rng(seed))
    assert changed.dtype == np.float32 and mask is image
    assert (np.diff(changed.ravel()) > 0).all()
    zero = np.interp(0, image.ravel(), changed.ravel())
    assert abs(zero) <= 0.1 + 0.01
    gain = changed.max() - zero
    assert 1 / 1.3 - 0.02 <= gain <= 1.3 + 0.02


def test_intensity_of_nothing_changes_nothing() -> None:
    image = np.linspace(-1, 1, 30, dtype=np.float32).reshape(1, 5, 6)
    changed, _ = RandomIntensity(0, 0, 0)(image, image, np.random.default_rng(0))
    np.testing.assert_allclose(changed, image, atol=1e-7)


def test_compose_applies_in_order() -> None:
    image, mask = _pair(7, 9)
    rng = np.random.default_rng(4)
    expected = RandomFlip()(*RandomCrop(4)(image, mask, rng), rng)
    got = Compose([RandomCrop(4), RandomFlip()])(image, mask, np.random.default_rng(4))
    np.testing.assert_array_equal(got[0], expected[0])
    np.testing.assert_array_equal(got[1], expected[1])


def test_repr_shows_how_to_make_it() -> None:
    steps = [Normalize(), RandomCrop(8), RandomFlip(0.3), RandomRotate90(), Resize((4, 5)), RandomIntensity()]
    text = (
        "Compose([Normalize(), RandomCrop(size=(8, 8)), RandomFlip(p=0.3, axes=(-2, -1)), RandomRotate90(), "
        "Resize(size=(4, 5)), RandomIntensity(gain=0.25, offset=0.1, gamma=0.25)])"
    )
    assert repr(Compose(steps)) == text


def test_arguments_that_make_no_sense() -> None:
    for size in (0, -3, (4,), (4, 0), (4.0, 4), "4"):
        with pytest.raises(ArgumentError, match="RandomCrop: size"):
            RandomCrop(size)  # type: ignore[arg-type]
    with pytest.raises(ArgumentError, match=r"RandomFlip: p is 1\.5, expected a number from 0 to 1"):
        RandomFlip(1.5)
    with pytest.raises(ArgumentError, match="RandomIntensity: gain"):
        RandomIntensity(gain=-1)


def test_pairs_that_do_not_belong_together() -> None:
    with pytest.raises(ShapeError, match=r"image is \(4, 4\), expected \(C, H, W\)"):
        check_pair(np.zeros((4, 4)), np.zeros((4, 4)))
    with pytest.raises(ShapeError, match=r"mask is \(1, 4, 5\), expected \(K, 4, 4\)"):
        check_pair(np.zeros((3, 4, 4)), np.zeros((1, 4, 5)))
