"""Made images: shapes, a heart, vessels, an organ. Their masks against what is known of them."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import label

from tinyconv.data import (
    SyntheticHeart,
    SyntheticOrgan,
    SyntheticScenes,
    SyntheticShapes,
    SyntheticTissue,
    SyntheticVessels,
)
from tinyconv.errors import ArgumentError
from tinyconv.metrics import ejection_fraction

MADE = [
    lambda seed: SyntheticShapes(5, seed=seed),
    lambda seed: SyntheticHeart(3, size=40, frames=6, seed=seed),
    lambda seed: SyntheticVessels(3, size=64, seed=seed),
    lambda seed: SyntheticOrgan(3, size=32, depth=10, seed=seed),
    lambda seed: SyntheticScenes(4, size=48, seed=seed),
    lambda seed: SyntheticTissue(3, size=16, seed=seed),
]


@pytest.mark.parametrize("make", MADE)
def test_an_item_is_a_pure_function_of_seed_and_index(make) -> None:
    data, again, other = make(1), make(1), make(2)
    images = [data[index][0].tobytes() for index in range(len(data))]
    assert images == [again[index][0].tobytes() for index in reversed(range(len(data)))][::-1]
    assert len({*images, *(other[index][0].tobytes() for index in range(len(other)))}) == 2 * len(data)
    assert data[0][0].dtype == np.float32 and np.isfinite(data[0][0]).all()
    with pytest.raises(IndexError):
        data[len(data)]


def test_shapes_have_the_area_and_the_holes_of_their_class() -> None:
    shapes = SyntheticShapes(80, size=64, noise=0.0)
    assert np.bincount(shapes.labels).tolist() == [20] * 4
    for index in range(len(shapes)):
        image, kind = shapes[index]
        mask = shapes.mask(index)
        assert ((image[0] > 0.45) == mask).all() and mask.sum() > 60
        assert label(mask)[1] == 1 and label(~mask)[1] == (2 if shapes.classes[kind] == "ring" else 1)
        box = np.ptp(np.argwhere(mask), axis=0) + 1
        if shapes.classes[kind] == "disc":
            assert mask.sum() / box.prod() == pytest.approx(np.pi / 4, abs=0.06)
        if shapes.classes[kind] == "triangle":
            assert mask.sum() / box.prod() < 0.65


def test_a_heart_contracts_and_fills_again() -> None:
    hearts = SyntheticHeart(6, size=96, frames=12)
    for image, mask in hearts:
        assert image.shape == mask.shape == (1, 12, 96, 96) and set(np.unique(mask)) == {0, 1, 2}
        blood = (mask[0] == 1).sum(axis=(1, 2))
        assert blood.argmax() == 0 and blood.argmin() == 6
        assert (np.diff(blood[:7]) <= 0).all() and (np.diff(blood[6:]) >= 0).all()
        muscle = (mask[0] == 2).sum(axis=(1, 2))
        assert muscle.min() > 0.75 * muscle.max()
        assert 30 < ejection_fraction(float(blood[0]), float(blood[6])) < 70
        light = [image[mask == kind].mean() for kind in range(3)]
        assert light[1] > light[2] > light[0]


def test_calcium_lies_in_vessels_and_shines() -> None:
    seen = 0
    for image, mask in SyntheticVessels(8, size=96):
        vessel, calcium = mask > 0
        assert 0.02 < vessel.mean() < 0.5 and not (calcium & ~vessel).any()
        assert image[0][vessel].mean() > image[0][~vessel].mean() + 0.15
        if calcium.any():
            seen += 1
            assert image[0][calcium].mean() > image[0][vessel & ~calcium].mean() + 0.1
        assert label(vessel, np.ones((3, 3)))[1] == 1
    assert seen >= 6


def test_lesions_lie_in_the_organ_and_are_darker() -> None:
    organs = SyntheticOrgan(5, size=48, depth=20)
    assert organs.spacing == (2.5, 1.5, 1.5)
    for image, mask in organs:
        assert image.shape == (1, 20, 48, 48) and mask.shape == (2, 20, 48, 48)
        organ, lesion = mask > 0
        assert 0.03 < organ.mean() < 0.5 and lesion.any() and not (lesion & ~organ).any()
        assert image[0][lesion].mean() < image[0][organ & ~lesion].mean() - 15
        assert image.min() < -900


@pytest.mark.parametrize(
    "make",
    [
        lambda: SyntheticShapes(0),
        lambda: SyntheticShapes(1, size=8),
        lambda: SyntheticHeart(1, frames=1),
        lambda: SyntheticHeart(1, size=16),
        lambda: SyntheticVessels(0),
        lambda: SyntheticOrgan(1, depth=4),
        lambda: SyntheticOrgan(1, seed=-1),
        lambda: SyntheticScenes(1, size=16),
        lambda: SyntheticScenes(1, shapes=(3, 2)),
        lambda: SyntheticTissue(1, size=8),
        lambda: SyntheticTissue(1, drift=1.0),
    ],
)
def test_arguments(make) -> None:
    with pytest.raises(ArgumentError):
        make()


def test_scenes_have_shapes_beside_one_another() -> None:
    scenes = SyntheticScenes(40, size=64, shapes=(2, 4), noise=0.0)
    kinds = set()
    for image, labels in scenes:
        assert image.shape == (1, 64, 64) and labels.shape == (64, 64) and labels.dtype == np.int64
        assert ((image[0] > 0.45) == (labels > 0)).all()
        parts, count = label(labels > 0, np.ones((3, 3)))
        assert 1 <= count <= 4 and all(len(set(labels[parts == part])) == 1 for part in range(1, count + 1))
        kinds |= set(np.unique(labels))
    assert kinds == {0, 1, 2, 3, 4} and len(scenes.classes) == 5
    crowded = SyntheticScenes(1, size=32, shapes=(50, 50))[0][1]  # it does with fewer
    assert (crowded > 0).any()


def test_tissues_lie_within_one_another() -> None:
    tissue = SyntheticTissue(4, size=28, noise=0.0, drift=0.0)
    for image, labels in tissue:
        assert image.shape == (1, 28, 28, 28) and labels.shape == (28, 28, 28)
        shares = np.bincount(labels.ravel()) / labels.size
        assert len(shares) == 4 and shares.min() > 0.02
        light = [image[0][labels == kind].mean() for kind in range(4)]
        assert (np.diff(light) > 0.15).all()
        assert not labels[[0, -1]].any() and not labels[:, [0, -1]].any()
        outer = label(labels == 0)[1]
        assert outer == 1  # what is outside surrounds it all
    uneven, _ = SyntheticTissue(1, size=28, noise=0.0, drift=0.5)[0]
    even, labels = SyntheticTissue(1, size=28, noise=0.0, drift=0.0)[0]
    ratio = (uneven / even)[0]
    assert ratio.min() == pytest.approx(0.5, abs=0.4) and ratio.max() > 1.2 > 0.8 > ratio.min()
