"""The U-Net's weight map against the formula, pixel by pixel."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinyconv as tc
import tinyconv.nn.functional as F
from tinyconv.data import border_weights
from tinyconv.errors import ArgumentError, DtypeError, ShapeError, TinyconvError


def by_definition(labels: Any, w0: float, sigma: float, class_weights: tuple[float, float]) -> Any:
    """The formula, with the distance to every pixel of every cell."""
    weights = np.where(labels == 0, *class_weights).astype(float)
    cells = [np.argwhere(labels == number) for number in np.unique(labels[labels > 0])]
    for position in np.argwhere(labels == 0) if len(cells) > 1 else ():
        distances = sorted(np.sqrt(((cell - position) ** 2).sum(1)).min() for cell in cells)
        weights[tuple(position)] += w0 * np.exp(-((distances[0] + distances[1]) ** 2) / (2 * sigma**2))
    return weights


@settings(max_examples=30)
@given(data=st.data())
def test_the_map_is_the_formula(data: Any) -> None:
    shape = data.draw(st.sampled_from([(1, 1), (1, 9), (12, 7), (16, 16), (3, 5, 4)]))
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    count = data.draw(st.integers(0, 5))
    labels = rng.integers(1, count + 1, shape) * (rng.random(shape) < 0.2) if count else np.zeros(shape, int)
    labels = np.array([0, 7, 2, 3, 11, 40])[labels].astype(data.draw(st.sampled_from(("uint8", "int64"))))
    w0, sigma = data.draw(st.sampled_from((0.0, 10.0))), data.draw(st.sampled_from((0.5, 2.0, 5.0)))
    got = border_weights(labels, w0, sigma, class_weights=(0.5, 2.0))
    assert got.dtype == np.float32
    np.testing.assert_allclose(got, by_definition(labels, w0, sigma, (0.5, 2.0)), rtol=1e-6, atol=2e-7)


def test_by_hand() -> None:
    labels = np.array([[1, 1, 0, 2], [0, 0, 0, 0]])
    weights = border_weights(labels, w0=10, sigma=1.0, class_weights=(1.0, 1.0))
    assert weights[0, 2] == pytest.approx(1 + 10 * np.exp(-((1 + 1) ** 2) / 2))
    assert weights[1, 2] == pytest.approx(1 + 10 * np.exp(-((2 * np.sqrt(2)) ** 2) / 2))
    assert weights[1, 1] == pytest.approx(1 + 10 * np.exp(-((1 + np.sqrt(5)) ** 2) / 2))
    assert weights[0].tolist()[:2] == [1, 1]


def test_both_classes_get_the_same_sum() -> None:
    labels = np.zeros((20, 30), int)
    labels[2:7, 3:9] = 1
    weights = border_weights(labels)
    assert weights[labels == 0].sum() == pytest.approx(weights[labels == 1].sum(), rel=1e-5)
    assert weights.mean() == pytest.approx(1, rel=1e-5)
    assert (border_weights(np.zeros((4, 5), int)) == 1).all()
    assert (border_weights(np.ones((4, 5), int)) == 1).all()


def test_the_ridge_between_touching_cells_is_the_heaviest() -> None:
    labels = np.zeros((21, 41), int)
    labels[5:16, 5:20], labels[5:16, 21:36] = 1, 2
    weights = border_weights(labels)
    ridge = weights[7:14, 20]
    assert (ridge > 5).all()
    assert weights[labels > 0].max() < ridge.min()
    assert weights[0, 0] < 2


def test_one_wrong_pixel_on_the_ridge_costs_more_than_one_elsewhere() -> None:
    labels = np.zeros((9, 15), int)
    labels[2:7, 2:7], labels[2:7, 8:13] = 1, 2
    weight_map = tc.tensor(border_weights(labels, class_weights=(1.0, 1.0)))[None]
    target = tc.tensor((labels > 0).astype("int64"))[None]
    costs = []
    for row, column in ((4, 7), (0, 0)):
        logits = np.where(np.stack([labels == 0, labels > 0])[None], 4.0, -4.0).astype("float32")
        logits[0, :, row, column] *= -1
        costs.append(F.weighted_pixel_cross_entropy(tc.tensor(logits), target, weight_map).item())
    assert costs[0] > 3 * costs[1]


GOOD: Any = np.array([[0, 1], [2, 0]])
WRONG: list[tuple[type[TinyconvError], str, tuple[Any, ...]]] = [
    (DtypeError, "labels float64 integers", (GOOD.astype(float),)),
    (DtypeError, "labels bool", (GOOD > 0,)),
    (DtypeError, "labels list", ([[0, 1]],)),
    (ShapeError, "labels (4,) (H, W)", (GOOD.reshape(-1),)),
    (ShapeError, "labels (0, 3)", (np.zeros((0, 3), int),)),
    (ArgumentError, "labels -2", (-GOOD,)),
    (ArgumentError, "w0 -1", (GOOD, -1)),
    (ArgumentError, "w0 'a'", (GOOD, "a")),
    (ArgumentError, "sigma 0 > 0", (GOOD, 10, 0)),
    (ArgumentError, "sigma nan", (GOOD, 10, float("nan"))),
    (ArgumentError, "class_weights (1.0,) background", (GOOD, 10, 5, (1.0,))),
    (ArgumentError, "class_weights -1", (GOOD, 10, 5, (1.0, -1))),
]


@pytest.mark.parametrize(("error", "words", "arguments"), WRONG, ids=lambda value: str(value)[:30])
def test_a_wrong_call_says_what_is_wrong(
    error: type[TinyconvError], words: str, arguments: tuple[Any, ...]
) -> None:
    with pytest.raises(error) as caught:
        border_weights(*arguments)
    assert caught.value.where == "border_weights"
    for word in words.split(" "):
        assert word in str(caught.value)
