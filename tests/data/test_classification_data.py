from __future__ import annotations

import numpy as np
import pytest

from tinyconv.data import Digits
from tinyconv.data.classification import ClassificationData, channel_statistics
from tinyconv.errors import ArgumentError


def items(count: int = 40, shape: tuple[int, ...] = (1, 6, 7)) -> list[tuple[np.ndarray, int]]:
    rng = np.random.default_rng(0)
    return [(rng.random(shape).astype(np.float32), i % 3) for i in range(count)]


def test_nothing_random_unless_asked_for() -> None:
    data = ClassificationData(items(), (1, 6, 7), mean=[0.5], std=[0.25])
    for epoch in (0, 3):
        for index, (image, label) in enumerate(items()):
            found, found_label = data.at_epoch(epoch)[index]
            np.testing.assert_allclose(found, (image - 0.5) / 0.25, rtol=1e-6)
            assert found_label == label and found.dtype == np.float32


def test_a_shift_moves_the_image_and_lets_black_in() -> None:
    source = items(200)
    data = ClassificationData(source, (1, 6, 7), shift=2).at_epoch(1)
    seen = set()
    for index, (image, _) in enumerate(source):
        down, right = data.places[index]
        seen.add((down, right))
        padded = np.pad(image, [(0, 0), (2, 2), (2, 2)])
        expected = padded[:, 2 - down : 8 - down, 2 - right : 9 - right]
        np.testing.assert_array_equal(data[index][0], expected)
    assert len(seen) == 25


def test_half_of_the_images_are_mirrored() -> None:
    source = items(400)
    data = ClassificationData(source, (1, 6, 7), flip=True)
    mirrored = 0
    for index, (image, _) in enumerate(source):
        is_mirrored = np.array_equal(data[index][0], image[:, :, ::-1])
        assert is_mirrored or np.array_equal(data[index][0], image)
        mirrored += is_mirrored
    assert 150 < mirrored < 250


def test_an_epoch_is_a_pure_function_of_the_seed() -> None:
    def drawn(seed: int, epoch: int) -> bytes:
        data = ClassificationData(items(), (1, 6, 7), shift=1, flip=True, seed=seed).at_epoch(epoch)
        return b"".join(data[index][0].tobytes() for index in range(len(data)))

    assert drawn(1, 2) == drawn(1, 2)
    assert len({drawn(1, 2), drawn(1, 3), drawn(2, 2)}) == 3


def test_images_of_other_sizes_and_channels() -> None:
    mixed = [(np.full((1, 4, 5), 0.5), 0), (np.full((3, 9, 3), 0.25), 1)]
    for channels in (1, 3):
        data = ClassificationData(mixed, (channels, 8, 6))
        for index, value in enumerate((0.5, 0.25)):
            assert data[index][0].shape == (channels, 8, 6)
            np.testing.assert_allclose(data[index][0], value)


def test_the_statistics_are_those_of_numpy() -> None:
    source = items(30, (3, 5, 4))
    images = np.stack([image for image, _ in source]).astype(np.float64)
    mean, std = channel_statistics(source, 3)
    np.testing.assert_allclose(mean, images.mean(axis=(0, 2, 3)))
    np.testing.assert_allclose(std, images.std(axis=(0, 2, 3)))
    assert channel_statistics([(np.zeros((1, 2, 2)), 0)], 1) == ([0.0], [1.0])
    mean, _ = channel_statistics(source, 3, most=2)
    np.testing.assert_allclose(mean, images[[0, -1]].mean(axis=(0, 2, 3)))


def test_arguments() -> None:
    for wrong in ({"std": [0.0]}, {"shift": 6}, {"shift": -1}, {"seed": -1}):
        with pytest.raises(ArgumentError):
            ClassificationData(Digits(), (1, 6, 7), **wrong)
    with pytest.raises(IndexError):
        ClassificationData(items(3), (1, 6, 7))[3]
