from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

import tinyconv as tc
from tinyconv.errors import ArgumentError, DtypeError, ShapeError
from tinyconv.metrics import Counts, count, count_classes, dice, iou

sklearn_metrics = pytest.importorskip("sklearn.metrics")


def test_counts_by_hand():
    probability = np.array([[0.5, 0.49, 0.9], [0.1, 0.8, 0.2]])
    mask = np.array([[1, 1, 0], [0, 1, 0]])
    counts = count(probability, mask)
    assert counts == Counts(true_positive=2, false_positive=1, false_negative=1)
    assert counts.dice == 4 / 6
    assert counts.iou == 2 / 4


def test_absent_from_both_is_undefined_and_from_one_is_zero():
    empty, full = np.zeros((1, 1, 4, 4)), np.ones((1, 1, 4, 4))
    assert np.isnan(dice(empty, empty)).tolist() == np.isnan(iou(empty, empty)).tolist() == [True]
    assert dice(full, empty).tolist() == dice(empty, full).tolist() == iou(full, empty).tolist() == [0.0]
    assert np.isnan(Counts().dice) and np.isnan(Counts().iou)


def test_summed_counts_weigh_pixels_and_the_mean_weighs_images():
    small, large = Counts(1, 0, 1), Counts(100, 0, 0)
    assert (small + large).dice == 202 / 203
    assert np.mean([small.dice, large.dice]) == (2 / 3 + 1) / 2


def expected(score, there, found):
    """scikit-learn's; NaN where it has a warning and a 0 or 1."""
    nothing = not (there.any() or found.any())
    return np.nan if nothing else score(there, found, zero_division=0.0)


@given(
    arrays.arrays(np.float32, (3, 1, 4, 5), elements=st.floats(0, 1, width=32)),
    arrays.arrays(bool, (3, 1, 4, 5)),
)
def test_as_scikit_learn_has_them(probability, mask):
    pairs = [(mask[i].ravel(), probability[i].ravel() >= 0.5) for i in range(3)]
    f1 = [expected(sklearn_metrics.f1_score, *pair) for pair in pairs]
    jaccard = [expected(sklearn_metrics.jaccard_score, *pair) for pair in pairs]
    np.testing.assert_allclose(dice(probability, mask), f1, atol=1e-12)
    np.testing.assert_allclose(iou(probability, mask), jaccard, atol=1e-12)


LABELS = arrays.arrays(np.int64, (3, 4, 5), elements=st.integers(0, 3))


@given(LABELS, LABELS)
def test_classes_as_scikit_learn_has_them(predicted, target):
    counts = count_classes(predicted, target, classes=4)
    assert counts.dice.shape == counts.iou.shape == (3, 4)
    for c in range(4):
        pairs = [(target[i].ravel() == c, predicted[i].ravel() == c) for i in range(3)]
        f1 = [expected(sklearn_metrics.f1_score, *pair) for pair in pairs]
        jaccard = [expected(sklearn_metrics.jaccard_score, *pair) for pair in pairs]
        np.testing.assert_allclose(counts.dice[:, c], f1, atol=1e-12)
        np.testing.assert_allclose(counts.iou[:, c], jaccard, atol=1e-12)
        whole = expected(sklearn_metrics.f1_score, target.ravel() == c, predicted.ravel() == c)
        np.testing.assert_allclose(counts.sum().dice[c], whole, atol=1e-12)


def test_per_image_per_class_and_over_the_set_by_hand():
    predicted = np.array([[[0, 1, 1, 0]], [[0, 0, 0, 0]]])
    target = np.array([[[0, 1, 0, 0]], [[0, 0, 0, 1]]])
    counts = count_classes(predicted, target, classes=3)
    assert counts.true_positive.tolist() == [[2, 1, 0], [3, 0, 0]]
    assert counts.false_positive.tolist() == [[0, 1, 0], [1, 0, 0]]
    assert counts.false_negative.tolist() == [[1, 0, 0], [0, 1, 0]]
    np.testing.assert_allclose(counts.dice, [[4 / 5, 2 / 3, np.nan], [6 / 7, 0, np.nan]])
    np.testing.assert_allclose(counts.iou, [[2 / 3, 1 / 2, np.nan], [3 / 4, 0, np.nan]])
    np.testing.assert_allclose(counts.sum().dice, [10 / 12, 2 / 4, np.nan])
    np.testing.assert_allclose((counts.sum() + counts.sum()).iou, [5 / 7, 1 / 3, np.nan])


def test_pixels_without_a_true_label_are_left_out():
    target = np.array([[0, 1, 255, 255]], np.uint8)
    counts = count_classes([[0, 0, 1, 0]], target, classes=2, ignore=255)
    assert (counts.true_positive.tolist(), counts.false_negative.tolist()) == ([[1, 0]], [[0, 1]])
    assert counts.false_positive.tolist() == [[1, 0]]
    with pytest.raises(ArgumentError, match="labels from 0 to 255, expected from 0 to 1"):
        count_classes([[0, 0, 1, 0]], target, classes=2)


def test_tensors_are_taken_too():
    assert dice(tc.tensor([[0.9, 0.1]]), tc.tensor([[1.0, 0.0]])).tolist() == [1.0]


def test_what_makes_no_sense_is_refused():
    with pytest.raises(ShapeError, match=r"\(2, 1, 4, 4\)"):
        dice(np.zeros((2, 1, 4, 4)), np.zeros((2, 4, 4)))
    with pytest.raises(ShapeError):
        count(np.zeros(3), np.zeros(4))
    with pytest.raises(ShapeError, match="iou: probability"):
        iou(0.5, 1.0)
    for probability, mask in (([np.nan], [1.0]), ([1.0], [np.nan])):
        with pytest.raises(ArgumentError, match="NaN"):
            count(np.array(probability), np.array(mask))
    with pytest.raises(DtypeError, match="labels, an array of integers"):
        count_classes(np.zeros((1, 2)), np.zeros((1, 2), int), 2)
    with pytest.raises(ArgumentError, match="classes is 0"):
        count_classes([[0]], [[0]], 0)
    with pytest.raises(ArgumentError, match="predicted is with labels from -1 to 0"):
        count_classes([[0, -1]], [[0, 0]], 2)
    with pytest.raises(ShapeError, match="single numbers, expected arrays"):
        Counts(1, 2, 3).sum()
    with pytest.raises(DtypeError, match="uneven rows"):
        dice([[1.0], [1.0, 0.0]], [[1.0], [0.0]])
    with pytest.raises(DtypeError, match="an array of numbers"):
        dice(["a"], ["b"])
