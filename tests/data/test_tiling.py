from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinyconv.data import predict_tiled
from tinyconv.errors import ArgumentError, ShapeError


@settings(max_examples=60, deadline=None)
@given(
    height=st.integers(1, 130),
    width=st.integers(1, 130),
    tile=st.sampled_from([16, 48, 64]),
    overlap=st.integers(0, 15),
    batch_size=st.integers(1, 5),
)
def test_a_predictor_that_returns_its_input_gives_the_image(
    height: int, width: int, tile: int, overlap: int, batch_size: int
) -> None:
    image = np.random.default_rng(height * 1000 + width).random((2, height, width), dtype=np.float32)
    seen = []

    def second_channel(tiles: np.ndarray) -> np.ndarray:
        seen.append(tiles.shape)
        return tiles[:, 1:]

    result = predict_tiled(second_channel, image, tile, overlap, multiple=16, batch_size=batch_size)
    assert result.shape == (1, height, width)
    np.testing.assert_allclose(result, image[1:], atol=1e-6)
    for count, channels, h, w in seen:
        assert count <= batch_size and channels == 2
        assert h % 16 == w % 16 == 0 and h <= tile and w <= tile


@pytest.mark.parametrize("shape", [(1, 1), (1, 1000), (1000, 1), (257, 300), (256, 256)])
def test_any_size_at_the_default_tile(shape: tuple[int, int]) -> None:
    image = np.random.default_rng(0).random((1, *shape), dtype=np.float32)
    np.testing.assert_allclose(predict_tiled(lambda tiles: tiles, image), image, atol=1e-6)


def test_the_padding_is_a_reflection() -> None:
    seen = []

    def keep(tiles: np.ndarray) -> np.ndarray:
        seen.append(tiles)
        return tiles

    predict_tiled(keep, np.arange(3, dtype=np.float32).reshape(1, 1, 3), multiple=4)
    assert seen[0].shape == (1, 1, 4, 4)
    assert seen[0][0, 0].tolist() == [[0, 1, 2, 1]] * 4


def test_seams_are_blended_smoothly() -> None:
    """Tiles that disagree by a whole unit: across the seam the change per pixel stays small."""
    calls = iter([0.0, 1.0])
    image = np.zeros((1, 16, 96), np.float32)
    result = predict_tiled(
        lambda tiles: np.full_like(tiles, next(calls)), image, tile=64, overlap=32, batch_size=1
    )
    profile = result[0, 0]
    assert profile[0] == 0 and profile[-1] == 1
    assert (np.diff(profile) >= -1e-6).all() and np.diff(profile).max() < 0.06
    np.testing.assert_allclose(profile[48:], 1 - profile[:48][::-1], atol=1e-6)


def test_a_prediction_far_from_borders_is_that_of_the_whole_image() -> None:
    """A local predictor (mean of 3x3) sees enough context once tiles overlap by more than it reaches."""
    from scipy.ndimage import uniform_filter

    def local_mean(tiles: np.ndarray) -> np.ndarray:
        return uniform_filter(tiles, (1, 1, 3, 3))

    image = np.random.default_rng(1).random((1, 160, 160), dtype=np.float32)
    whole = uniform_filter(image[0], 3)
    error = np.abs(predict_tiled(local_mean, image, tile=64, overlap=32)[0] - whole)
    hard = np.abs(predict_tiled(local_mean, image, tile=64, overlap=0)[0] - whole)
    assert error.max() < 0.01 < hard.max()


def test_arguments_that_make_no_sense() -> None:
    image = np.zeros((1, 40, 40), np.float32)
    cases: list[tuple[dict[str, Any], str]] = [
        ({"tile": 40}, "tile is 40, expected a multiple of 16"),
        ({"tile": 0}, "tile is 0"),
        ({"tile": 32, "overlap": 32}, "overlap is 32, expected 0 to 31"),
        ({"overlap": -1}, "overlap is -1"),
        ({"multiple": 0}, "multiple is 0"),
        ({"batch_size": 0}, "batch_size is 0"),
    ]
    for options, message in cases:
        with pytest.raises(ArgumentError, match=message):
            predict_tiled(lambda tiles: tiles, image, **options)
    for shape in [(40, 40), (1, 0, 40)]:
        with pytest.raises(ShapeError, match="image"):
            predict_tiled(lambda tiles: tiles, np.zeros(shape, np.float32))
    with pytest.raises(ShapeError, match=r"result of predict is \(1, 1, 47, 48\), expected \(1, K, 48, 48\)"):
        predict_tiled(lambda tiles: tiles[:, :, 1:], image)
    with pytest.raises(ArgumentError, match=r"tile is \(16, 16\), expected at least 1, one number or 3"):
        predict_tiled(lambda tiles: tiles, image[None], tile=(16, 16))


@settings(max_examples=30, deadline=None)
@given(
    shape=st.tuples(*[st.integers(1, 40)] * 3),
    tile=st.tuples(st.sampled_from([1, 8]), st.sampled_from([8, 16]), st.just(16)),
    overlap=st.tuples(st.just(0), st.integers(0, 7), st.integers(0, 15)),
)
def test_volumes_too(shape: tuple[int, ...], tile: tuple[int, ...], overlap: tuple[int, ...]) -> None:
    volume = np.random.default_rng(sum(shape)).random((2, *shape), dtype=np.float32)
    sides = []

    def twice(tiles: np.ndarray) -> np.ndarray:
        sides.append(tiles.shape[2:])
        return 2 * tiles[:, ::-1]

    multiple = (1, 8, 8)
    found = predict_tiled(twice, volume, tile, overlap, multiple)
    np.testing.assert_allclose(found, 2 * volume[::-1], atol=1e-5)
    assert all(n <= t and n % m == 0 for seen in sides for n, t, m in zip(seen, tile, multiple, strict=True))
