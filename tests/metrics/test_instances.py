from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from tinyconv.errors import ArgumentError, DtypeError, ShapeError
from tinyconv.metrics import Matches, connected_components, dsb2018_score, match_instances

LABELS = arrays.arrays(np.int64, (5, 6), elements=st.sampled_from([0, 0, 1, 2, 9]))
THRESHOLDS = np.arange(0.5, 1.0, 0.05).round(2)


def by_pairs(predicted, target, threshold):
    """Every pair of objects, one after the other."""
    first = [predicted == k for k in np.unique(predicted) if k]
    second = [target == k for k in np.unique(target) if k]
    found = sum((a & b).sum() / (a | b).sum() > threshold for a in first for b in second)
    return Matches(found, len(first) - found, len(second) - found)


@given(LABELS, LABELS, st.sampled_from(THRESHOLDS.tolist()))
def test_as_every_pair_says(predicted, target, threshold):
    assert match_instances(predicted, target, threshold) == by_pairs(predicted, target, threshold)
    assert match_instances(target, target, threshold) == by_pairs(target, target, threshold)


@given(LABELS, LABELS)
def test_the_score_is_the_mean_precision(predicted, target):
    pairs = [by_pairs(predicted, target, t) for t in THRESHOLDS]
    if not (predicted.any() or target.any()):
        assert np.isnan(dsb2018_score(predicted, target))
    else:
        precisions = [m.found / (m.found + m.extra + m.missed) for m in pairs]
        assert dsb2018_score(predicted, target) == pytest.approx(np.mean(precisions), abs=1e-12)


def test_one_object_missed_one_split_one_exact():
    target = np.repeat([1, 2, 3], 10)[None]
    predicted = target.copy()
    predicted[0, :10] = 0  # missed
    predicted[0, 10:15] = 7  # the second in two halves: IoU 0.5 each, which is not above 0.5
    assert match_instances(predicted, target) == Matches(found=1, extra=2, missed=2)
    assert match_instances(predicted, target).f1 == 2 / 6
    assert dsb2018_score(predicted, target) == 1 / 5


@pytest.mark.parametrize(("shared", "score"), [(51, 0.1), (55, 0.1), (56, 0.2), (75, 0.5), (96, 1.0)])
def test_an_iou_must_be_above_the_threshold(shared, score):
    target, predicted = np.ones((1, 100), int), np.zeros((1, 100), int)
    predicted[0, :shared] = 4
    assert dsb2018_score(predicted, target) == score


def test_sums_over_a_set():
    assert Matches(1, 2, 3) + Matches(4, 0, 0) == Matches(5, 2, 3)
    assert np.isnan(Matches().f1) and np.isnan(Matches().precision)


def test_many_objects_take_little_memory():
    """A table of all pairs would have 10^10 entries."""
    labels = np.arange(1, 100_001).reshape(250, 400)
    assert match_instances(labels, labels[::-1, ::-1]) == Matches(100_000, 0, 0)


@given(arrays.arrays(bool, (5, 6)), st.integers(1, 2))
def test_parts_as_scikit_image_has_them(mask, connectivity):
    measure = pytest.importorskip("skimage.measure")
    expected = measure.label(mask, connectivity=connectivity)
    found = connected_components(mask, connectivity)
    pairs = set(zip(found.ravel().tolist(), expected.ravel().tolist(), strict=True))
    assert len({a for a, _ in pairs}) == len({b for _, b in pairs}) == len(pairs)
    assert found.dtype == np.int32 and ((found > 0) == mask).all()


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: match_instances([[1]], [[1, 0]]), ShapeError, "target"),
        (lambda: match_instances([[1.0]], [[1]]), DtypeError, "predicted is of dtype float64"),
        (lambda: match_instances([[-1]], [[1]]), ArgumentError, "predicted"),
        (lambda: match_instances([[1]], [[1]], 0.4), ArgumentError, "threshold is 0.4, expected from 0.5"),
        (lambda: match_instances([[1]], [[1]], 1.0), ArgumentError, "threshold"),
        (lambda: match_instances([[1]], [[1]], float("nan")), ArgumentError, "threshold"),
        (lambda: match_instances([[1]], [[1]], "half"), ArgumentError, "threshold is 'half'"),
        (lambda: dsb2018_score([[1]], [1]), ShapeError, "dsb2018_score"),
        (lambda: connected_components([[2]]), ArgumentError, "other values than 0 and 1"),
        (lambda: connected_components([[1]], 3), ArgumentError, "connectivity is 3"),
        (lambda: connected_components(1), ShapeError, "at least one dimension"),
    ],
)
def test_wrong_arguments(call, error, message):
    with pytest.raises(error, match=message):
        call()
