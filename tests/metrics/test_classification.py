from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from tinyconv.errors import ArgumentError, DtypeError, ShapeError
from tinyconv.metrics import accuracy, confusion_matrix, roc_auc, top_k_accuracy

sklearn_metrics = pytest.importorskip("sklearn.metrics")


@given(st.integers(0, 2**32), st.integers(1, 30), st.integers(2, 6))
def test_accuracies_as_scikit_learn_has_them(seed, count, classes):
    rng = np.random.default_rng(seed)
    scores, targets = rng.standard_normal((count, classes)), rng.integers(0, classes, count)
    assert accuracy(scores, targets) == sklearn_metrics.accuracy_score(targets, scores.argmax(axis=1))
    if classes > 2:  # of two classes it wants one column
        for k in range(1, classes):
            theirs = sklearn_metrics.top_k_accuracy_score(targets, scores, k=k, labels=range(classes))
            assert top_k_accuracy(scores, targets, k) == pytest.approx(theirs, abs=1e-15)
    assert top_k_accuracy(scores, targets, classes) == 1.0


def test_of_equal_scores_the_first_counts():
    equal = np.zeros((3, 3))
    assert [top_k_accuracy(equal, [0, 1, 2], k) for k in (1, 2, 3)] == [1 / 3, 2 / 3, 1]
    assert accuracy([[0, 1, 1]], [1]) == 1.0 and accuracy([[0, 1, 1]], [2]) == 0.0


@given(st.integers(0, 2**32))
def test_confusion_as_scikit_learn_has_it(seed):
    predicted, targets = np.random.default_rng(seed).integers(0, 4, (2, 6, 5))
    theirs = sklearn_metrics.confusion_matrix(targets.ravel(), predicted.ravel(), labels=range(5))
    found = confusion_matrix(predicted, targets, classes=5)
    assert found.tolist() == theirs.tolist() and found.dtype == np.int64


@given(
    arrays.arrays(np.float64, 12, elements=st.sampled_from([0.0, 0.5, 1.0, -3.0, np.inf])),
    arrays.arrays(bool, 12),
)
def test_area_as_scikit_learn_has_it_with_ties_too(scores, positive):
    if positive.all() or not positive.any():
        assert np.isnan(roc_auc(scores, positive))
    else:
        theirs = sklearn_metrics.roc_auc_score(positive, np.nan_to_num(scores, posinf=9))
        assert roc_auc(scores, positive) == pytest.approx(theirs, abs=1e-12)


def test_each_class_against_all_others():
    rng = np.random.default_rng(5)
    scores, targets = rng.random((40, 3)), rng.integers(0, 3, 40)
    theirs = [sklearn_metrics.roc_auc_score(targets == c, scores[:, c]) for c in range(3)]
    np.testing.assert_allclose(roc_auc(scores, targets), theirs, atol=1e-12)
    absent = roc_auc(scores, targets % 2)
    assert np.isnan(absent).tolist() == [False, False, True]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: accuracy([1, 2], [0, 1]), ShapeError, r"scores is of shape \(2,\), expected \(N, C\)"),
        (lambda: accuracy(np.zeros((0, 3)), np.zeros(0, int)), ShapeError, "at least one element"),
        (lambda: accuracy(np.zeros((2, 3)), [0]), ShapeError, r"targets is of shape \(1,\), expected \(2,\)"),
        (lambda: accuracy(np.zeros((1, 3)), [3]), ArgumentError, "expected from 0 to 2"),
        (lambda: accuracy(np.zeros((1, 3)), [0.5]), DtypeError, "targets is of dtype float64"),
        (lambda: accuracy([[np.nan, 1]], [0]), ArgumentError, "^accuracy: scores is NaN somewhere"),
        (lambda: accuracy([["a", "b"]], [0]), DtypeError, "an array of numbers"),
        (lambda: top_k_accuracy(np.zeros((1, 3)), [0], 4), ArgumentError, "k is 4, expected .* 1 to 3"),
        (lambda: top_k_accuracy(np.zeros((1, 3)), [0], True), ArgumentError, "k is True"),
        (lambda: confusion_matrix([0], [0, 1], 2), ShapeError, "targets"),
        (lambda: confusion_matrix([0], [2], 2), ArgumentError, "targets is with labels from 2 to 2"),
        (lambda: confusion_matrix([0], [0], 0), ArgumentError, "classes is 0"),
        (lambda: roc_auc([0.5], [2]), ArgumentError, "from 0 to 1"),
        (lambda: roc_auc([0.5, np.nan], [0, 1]), ArgumentError, "NaN"),
        (lambda: roc_auc(np.zeros((1, 2, 3)), [0]), ShapeError, r"\(N,\) or \(N, C\)"),
        (lambda: roc_auc([0.5], [0, 1]), ShapeError, "targets"),
    ],
)
def test_wrong_arguments(call, error, message):
    with pytest.raises(error, match=message):
        call()
