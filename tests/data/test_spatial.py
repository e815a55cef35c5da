"""Moved pixels: against NumPy where the movement is whole, against Pillow and formulas elsewhere."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tinyconv.data import (
    CenterCrop,
    Compose,
    Pad,
    PasteLesions,
    RandomAffine,
    RandomBlur,
    RandomCrop,
    RandomElastic,
    RandomFlip,
    RandomNoise,
    RandomRotation,
    RandomScale,
    RandomSkew,
    RandomTranslation,
    SegmentationData,
    Standardize,
    Window,
)
from tinyconv.data.spatial import apply_affine
from tinyconv.errors import ArgumentError, ShapeError


def pair(*size: int) -> tuple[np.ndarray, np.ndarray]:
    """A smooth image of two channels and a mask of labels 0, 1 and 2."""
    axes = np.meshgrid(*(np.linspace(-1, 1, n) for n in size), indexing="ij")
    first = np.exp(-sum((axis - 0.2 * number) ** 2 for number, axis in enumerate(axes)) * 4)
    image = np.stack([first, axes[-1]]).astype(np.float32)
    return image, np.where(first > 0.8, 2, first > 0.4)[None].astype(np.float32)


ALL = [
    RandomAffine(rotation=30, scale=0.3, skew=10, translation=0.1),
    RandomRotation(),
    RandomScale(),
    RandomSkew(),
    RandomTranslation(),
    RandomElastic(),
    RandomFlip(),
    RandomCrop(9),
    CenterCrop(9),
    Pad(40),
    Standardize(),
    Window(-0.5, 0.5),
    RandomNoise(),
    RandomBlur(p=1),
    PasteLesions(),
]


@pytest.mark.parametrize("size", [(24, 31), (11, 18, 20)])
@pytest.mark.parametrize("transform", ALL, ids=lambda transform: type(transform).__name__)
def test_each_is_reproducible_and_keeps_its_input(transform: Any, size: tuple[int, ...]) -> None:
    image, mask = pair(*size)
    found, found_mask = transform(image, mask, np.random.default_rng(5))
    again, again_mask = transform(image, mask, np.random.default_rng(5))
    np.testing.assert_array_equal(found, again)
    np.testing.assert_array_equal(found_mask, again_mask)
    np.testing.assert_array_equal(image, pair(*size)[0])
    np.testing.assert_array_equal(mask, pair(*size)[1])
    assert found.dtype == image.dtype and found_mask.dtype == mask.dtype
    assert found.shape[1:] == found_mask.shape[1:] and np.isfinite(found).all()
    assert set(np.unique(found_mask)) <= {0, 1, 2}
    assert type(transform).__name__ in repr(transform)
    other, _ = transform(image, mask, np.random.default_rng(6))
    fixed = isinstance(transform, CenterCrop | Pad | Standardize | Window)
    if fixed or not isinstance(transform, RandomFlip):
        assert np.array_equal(found, other) == fixed


def matrix(degrees: float) -> np.ndarray:
    angle = np.deg2rad(degrees)
    return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])


def test_whole_movements_are_those_of_numpy() -> None:
    image = np.random.default_rng(0).random((2, 9, 9))
    for turns in range(4):
        for order in (0, 1):
            found = apply_affine(image, matrix(90 * turns), np.zeros(2), order)
            np.testing.assert_allclose(found, np.rot90(image, turns, (1, 2)), atol=1e-9)
    moved = apply_affine(image, np.eye(2), np.array([2.0, -3.0]), mode="constant")
    expected = np.zeros_like(image)
    expected[:, 2:, :-3] = image[:, :-2, 3:]
    np.testing.assert_allclose(moved, expected, atol=1e-12)
    np.testing.assert_allclose(
        apply_affine(image, np.diag([-1.0, 1.0]), np.zeros(2)), image[:, ::-1], atol=1e-9
    )
    volume = np.random.default_rng(0).random((1, 5, 7, 7))
    turn = np.eye(3)
    turn[1:, 1:] = matrix(90)
    np.testing.assert_allclose(
        apply_affine(volume, turn, np.zeros(3)), np.rot90(volume, 1, (2, 3)), atol=1e-9
    )


def test_a_rotation_is_that_of_pillow() -> None:
    from PIL import Image

    image, _ = pair(41, 41)
    ours = apply_affine(image[:1], matrix(20), np.zeros(2))[0]
    theirs = np.asarray(Image.fromarray(image[0]).rotate(20, Image.Resampling.BILINEAR))
    inside = np.hypot(*np.meshgrid(*[np.arange(41) - 20] * 2)) < 18
    np.testing.assert_allclose(ours[inside], theirs[inside], atol=0.02)


@pytest.mark.parametrize("mode", ["reflect", "nearest", "mirror", "constant", "wrap"])
@pytest.mark.parametrize("scale", [0.3, 20])
def test_a_movement_is_that_of_scipy(mode: str, scale: float) -> None:
    """The nearest pixel may be another where two are equally near: Pillow rounds coordinates to 2^-16."""
    from scipy.ndimage import affine_transform

    for seed in range(8):
        rng = np.random.default_rng(seed)
        size = tuple(int(n) for n in rng.integers(5, 60, 2))
        image = rng.random((2, *size), dtype=np.float32)
        turn, shift = RandomAffine(90, scale, 10, 0.3).draw(size, rng)
        back, middle = np.linalg.inv(turn), (np.array(size) - 1) / 2
        offset = middle - back @ (middle + shift)
        linear = [affine_transform(plane, back, offset, order=1, mode=mode) for plane in image]
        np.testing.assert_allclose(apply_affine(image, turn, shift, 1, mode), linear, atol=1e-6)
        places = np.tensordot(back, np.indices(size), 1) + offset[:, None, None]
        clear = (np.abs(places % 1 - 0.5) > 60 * 2**-16).all(axis=0)
        for kind in (np.float32, np.uint8, bool):
            mask = (image * 3).astype(kind)
            planes = [affine_transform(plane * 1, back, offset, order=0, mode=mode) for plane in mask]
            found = apply_affine(mask, turn, shift, 0, mode)
            assert found.dtype == kind
            np.testing.assert_array_equal(found[:, clear], np.stack(planes)[:, clear])


@pytest.mark.parametrize("size", [(30, 40), (20, 24, 28)])
def test_a_drawn_movement_is_within_what_was_asked_for(size: tuple[int, ...]) -> None:
    dims = len(size)
    for seed in range(50):
        rng = np.random.default_rng(seed)
        turned, still = RandomRotation(30).draw(size, rng)
        np.testing.assert_allclose(turned @ turned.T, np.eye(dims), atol=1e-12)
        assert np.linalg.det(turned) == pytest.approx(1) and not still.any()
        if dims == 2:
            assert abs(np.rad2deg(np.arctan2(turned[1, 0], turned[0, 0]))) <= 30
        scaled, _ = RandomScale(0.5).draw(size, rng)
        assert 1 / 1.5 <= scaled[0, 0] <= 1.5
        np.testing.assert_allclose(scaled, scaled[0, 0] * np.eye(dims))
        leaning, _ = RandomSkew(20).draw(size, rng)
        assert np.linalg.det(leaning) == pytest.approx(1) and not np.tril(leaning, -1).any()
        assert (abs(np.triu(leaning, 1)) < np.tan(np.deg2rad(20)) * (1 + np.tan(np.deg2rad(20)))).all()
        unmoved, shift = RandomTranslation(0.1).draw(size, rng)
        assert (unmoved == np.eye(dims)).all() and (abs(shift) <= 0.1 * np.array(size)).all() and shift.any()


def test_image_and_mask_stay_together() -> None:
    rng = np.random.default_rng(0)
    image = np.zeros((1, 60, 60), np.float32)
    image[0, 15:45, 20:40] = 1
    for transform in (RandomAffine(40, 0.2, 10, 0.1), RandomElastic(3, 8), RandomFlip(), RandomCrop(50)):
        moved, mask = transform(image, image.copy(), rng)
        agree = (moved >= 0.5) == (mask >= 0.5)
        assert agree.mean() > 0.985 and 200 < mask.sum()


def test_an_elastic_field_has_the_size_that_was_asked_for() -> None:
    for size in ((80, 90), (20, 30, 40)):
        field = RandomElastic(amplitude=2.5, smoothness=4).draw(size, np.random.default_rng(0))
        np.testing.assert_allclose(field.std(axis=tuple(range(1, len(size) + 1))), 2.5, rtol=1e-3)
        steps = np.abs(np.diff(field, axis=-1))
        assert steps.max() < 2.5 * 1.5  # smooth: neighbours move alike
    still = RandomElastic(amplitude=0)
    image, mask = pair(20, 20)
    np.testing.assert_allclose(still(image, mask, np.random.default_rng(0))[0], image, atol=1e-6)


def test_p_is_how_often_anything_is_done() -> None:
    image, mask = pair(12, 12)
    for transform in (RandomRotation(p=0.3), RandomElastic(p=0.3), RandomNoise(p=0.3), RandomBlur(p=0.3)):
        rng = np.random.default_rng(0)
        done = sum(not np.array_equal(transform(image, mask, rng)[0], image) for _ in range(300))
        assert 60 < done < 120, transform


def test_crops_and_pads_of_volumes() -> None:
    image, mask = pair(8, 10, 12)
    cropped, cropped_mask = CenterCrop((4, 6, 8))(image, mask, np.random.default_rng(0))
    np.testing.assert_array_equal(cropped, image[:, 2:6, 2:8, 2:10])
    np.testing.assert_array_equal(cropped_mask, mask[:, 2:6, 2:8, 2:10])
    assert RandomCrop((5, 20, 3))(image, mask, np.random.default_rng(0))[0].shape == (2, 5, 20, 3)
    assert RandomCrop((5, 6))(image, mask, np.random.default_rng(0))[0].shape == (2, 8, 5, 6)
    padded, padded_mask = Pad((9, 10, 16), "constant")(image, mask, np.random.default_rng(0))
    assert padded.shape == (2, 9, 10, 16) and padded_mask.shape == (1, 9, 10, 16)
    np.testing.assert_array_equal(padded[:, :8, :, 2:14], image)
    assert not padded[:, 8].any() and not padded[..., :2].any()
    flipped, _ = RandomFlip(1, axes=(-3,))(image, mask, np.random.default_rng(0))
    np.testing.assert_array_equal(flipped, image[:, ::-1])


def test_brightness() -> None:
    image, mask = pair(20, 30)
    found, _ = Standardize()(image, mask, np.random.default_rng(0))
    np.testing.assert_allclose(found.mean(axis=(1, 2)), 0, atol=1e-5)
    np.testing.assert_allclose(found.std(axis=(1, 2)), 1, rtol=1e-4)
    assert not Standardize()(np.full((1, 4, 4), 7.0), mask, np.random.default_rng(0))[0].any()
    window, _ = Window(-160, 240)(np.array([[[-1000, -160, 40, 240, 900]]]), mask, np.random.default_rng(0))
    assert window.tolist() == [[[0, 0, 0.5, 1, 1]]] and window.dtype == np.float32
    flat = np.zeros((1, 200, 200), np.float32)
    deviations = [RandomNoise(0.1)(flat, flat, np.random.default_rng(seed))[0].std() for seed in range(40)]
    assert 0 < min(deviations) < 0.03 and 0.07 < max(deviations) < 0.101


@pytest.mark.parametrize("size", [(80, 90), (30, 40, 40)])
def test_lesions_lie_in_the_organ(size: tuple[int, ...]) -> None:
    organ = np.zeros((2, *size), np.float32)
    organ[0][tuple(slice(n // 4, 3 * n // 4) for n in size)] = 1
    image = np.full((1, *size), 0.4, np.float32)
    paste = PasteLesions(number=(3, 3), radius=(3, 5), contrast=(0.3, 0.3), inside=0, channel=1)
    changed, mask = paste(image, organ, np.random.default_rng(0))
    lesion = mask[1] > 0
    assert lesion.any() and not (lesion & (mask[0] == 0)).any()
    np.testing.assert_array_equal(mask[0], organ[0])
    assert not organ[1].any() and (image == np.float32(0.4)).all()
    assert (changed[0][lesion] >= 0.4 + 0.149).all()
    np.testing.assert_array_equal(changed[0][organ[0] == 0], image[0][organ[0] == 0])
    nothing, unmarked = paste(image, np.zeros_like(organ), np.random.default_rng(0))
    np.testing.assert_array_equal(nothing, image)
    assert not unmarked.any()


def test_the_size_of_a_lesion() -> None:
    """About that of a circle of its radius: the proportions are as likely longer as shorter."""
    blank = np.zeros((1, 200, 200), np.float32)
    paste = PasteLesions((1, 1), (10, 10), (1, 1), inside=None)
    areas = []
    for seed in range(60):
        mask = paste(blank, blank, np.random.default_rng(seed))[1]
        areas.append(mask.sum())
    assert np.median(areas) == pytest.approx(np.pi * 100, rel=0.25)


def test_volumes_of_a_dataset() -> None:
    items = [pair(10, 12, 14) for _ in range(3)]
    steps = Compose([RandomAffine(10), RandomCrop((8, 8, 8)), RandomNoise()])
    data = SegmentationData(items, steps, channels=2, seed=1)
    image, mask = data.at_epoch(2)[1]
    assert image.shape == (2, 8, 8, 8) and mask.shape == (1, 8, 8, 8)
    assert image.tobytes() == data.at_epoch(2)[1][0].tobytes() != data.at_epoch(3)[1][0].tobytes()


def test_what_is_refused() -> None:
    rng = np.random.default_rng(0)
    image, mask = pair(8, 8)
    for make in (
        lambda: RandomAffine(rotation=200),
        lambda: RandomAffine(mode="clip"),
        lambda: RandomElastic(smoothness=0),
        lambda: RandomElastic(mode="none"),
        lambda: RandomRotation(p=1.5),
        lambda: Window(1, 1),
        lambda: Pad(4, "wrap"),
        lambda: RandomFlip(axes=(0,)),
        lambda: CenterCrop((1, 2, 3, 4)),
        lambda: PasteLesions(number=(3, 1)),
        lambda: PasteLesions(radius=(0, 1)),
    ):
        with pytest.raises(ArgumentError):
            make()
    for transform in (RandomRotation(), RandomElastic(), PasteLesions()):
        with pytest.raises(ShapeError, match="the size of the image"):
            transform(image, mask[:, :4], rng)
        with pytest.raises(ShapeError, match="none of them 0"):
            transform(image[0], mask[0], rng)
    for transform in (CenterCrop((2, 2, 2)), RandomFlip(axes=(-3,))):
        with pytest.raises(ShapeError):
            transform(image, mask, rng)
