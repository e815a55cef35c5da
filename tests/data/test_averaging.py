from __future__ import annotations

import numpy as np
import pytest

from tinyconv.data import average_models, average_views, predict_tiled
from tinyconv.errors import ArgumentError, ShapeError


def test_what_does_not_depend_on_the_view_is_unchanged() -> None:
    x = np.random.default_rng(0).random((2, 3, 8, 8))
    for rotations in (True, False):
        for predict in (lambda x: x.mean(axis=1, keepdims=True), lambda x: x.mean(axis=(2, 3))):
            np.testing.assert_allclose(average_views(predict, rotations)(x), predict(x))


@pytest.mark.parametrize("rotations", [True, False])
def test_the_average_is_over_all_symmetries(rotations: bool) -> None:
    """A pixel's weight in a map that weighs by place: the mean over the places that it is turned to."""
    size = 4
    weights = np.random.default_rng(0).random((1, 1, size, size))
    found = average_views(lambda x: x * weights, rotations)(np.ones((1, 1, size, size)))
    turns = range(4) if rotations else (0, 2)
    views = [np.rot90(w, turn, (2, 3)) for w in (weights, weights[..., ::-1]) for turn in turns]
    np.testing.assert_allclose(found, np.mean(views, axis=0))
    seen = []
    average_views(lambda x: seen.append(x.copy()) or x, rotations)(np.arange(16.0).reshape(1, 1, 4, 4))
    assert len({view.tobytes() for view in seen}) == len(seen) == 2 * len(turns)


def test_with_tiles() -> None:
    image = np.random.default_rng(0).random((1, 40, 56)).astype(np.float32)
    predict = average_views(lambda tiles: tiles[:, 0] ** 2)
    found = predict_tiled(predict, image, tile=32, overlap=8)
    np.testing.assert_allclose(found, image[0] ** 2, atol=1e-6)


def test_an_ensemble() -> None:
    x = np.random.default_rng(0).random((2, 3)).astype(np.float32)
    models = [lambda x: x, lambda x: 2 * x, lambda x: 6 * x]
    found = average_models(models)(x)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, 3 * x, rtol=1e-6)
    np.testing.assert_allclose(average_models(models, [1, 0, 3])(x), 4.75 * x, rtol=1e-6)
    for weights in ([1, 2], [0, 0, 0], [1, -1, 1]):
        with pytest.raises(ArgumentError, match="weights"):
            average_models(models, weights)
    with pytest.raises(ArgumentError):
        average_models([])
    with pytest.raises(ShapeError, match="as the first"):
        average_models([lambda x: x, lambda x: x[:1]])(x)
