from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

import tinyconv as tc
from tinyconv.errors import ArgumentError, ShapeError
from tinyconv.train import Counts, bce_dice_loss, count, dice, iou, warmup_cosine

sklearn_metrics = pytest.importorskip("sklearn.metrics")


def test_counts_by_hand():
    probability = np.array([[0.5, 0.49, 0.9], [0.1, 0.8, 0.2]])
    mask = np.array([[1, 1, 0], [0, 1, 0]])
    counts = count(probability, mask)
    assert counts == Counts(true_positive=2, false_positive=1, false_negative=1)
    assert counts.dice == 4 / 6
    assert counts.iou == 2 / 4


def test_absent_from_both_is_perfect_and_from_one_is_zero():
    empty, full = np.zeros((1, 1, 4, 4)), np.ones((1, 1, 4, 4))
    assert dice(empty, empty).tolist() == iou(empty, empty).tolist() == [1.0]
    assert dice(full, empty).tolist() == dice(empty, full).tolist() == iou(full, empty).tolist() == [0.0]


def test_summed_counts_weigh_pixels_and_the_mean_weighs_images():
    small, large = Counts(1, 0, 1), Counts(100, 0, 0)
    assert (small + large).dice == 202 / 203
    assert np.mean([small.dice, large.dice]) == (2 / 3 + 1) / 2


@given(
    arrays.arrays(np.float32, (3, 1, 4, 5), elements=st.floats(0, 1, width=32)),
    arrays.arrays(bool, (3, 1, 4, 5)),
)
def test_as_scikit_learn_has_them(probability, mask):
    for image in range(3):
        found, there = probability[image].ravel() >= 0.5, mask[image].ravel()
        f1 = sklearn_metrics.f1_score(there, found, zero_division=1.0)
        jaccard = sklearn_metrics.jaccard_score(there, found, zero_division=1.0)
        if not (found.any() or there.any()):
            jaccard = 1.0
        assert dice(probability, mask)[image] == pytest.approx(f1, abs=1e-12)
        assert iou(probability, mask)[image] == pytest.approx(jaccard, abs=1e-12)


def test_what_makes_no_sense_is_refused():
    with pytest.raises(ShapeError, match=r"\(2, 1, 4, 4\)"):
        dice(np.zeros((2, 1, 4, 4)), np.zeros((2, 4, 4)))
    with pytest.raises(ShapeError):
        count(np.zeros(3), np.zeros(4))
    with pytest.raises(ArgumentError, match="NaN"):
        count(np.array([np.nan]), np.array([1.0]))


def test_the_loss_is_the_sum_of_its_two_halves():
    p, t = [0.9, 0.2, 0.6, 0.1], [1.0, 0.0, 1.0, 1.0]
    entropy = -sum(math.log(a if b else 1 - a) for a, b in zip(p, t, strict=True)) / 4
    overlap = 2 * (0.9 + 0.6 + 0.1)
    expected = entropy + 1 - (overlap + 1) / (sum(p) + sum(t) + 1)
    with tc.default_dtype(tc.float64):
        loss = bce_dice_loss(tc.tensor([[[p[:2], p[2:]]]]), tc.tensor([[[t[:2], t[2:]]]]))
    assert loss.item() == pytest.approx(expected, rel=1e-12)


def test_the_learning_rate_rises_then_falls():
    factors = [warmup_cosine(progress) for progress in np.linspace(0, 1, 201)]
    top = int(np.argmax(factors))
    assert factors[top] == 1.0 and top == 10
    assert (np.diff(factors[: top + 1]) > 0).all() and (np.diff(factors[top:]) < 0).all()
    assert warmup_cosine(2.0) == factors[-1] == pytest.approx(0.01)
