from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinyconv.errors import ArgumentError, ShapeError
from tinyconv.metrics import expected_calibration_error, reliability


def by_loops(probabilities, targets, bins):
    """Guo et al. 2017, equation 3, item by item."""
    total = 0.0
    for m in range(bins):
        inside = [
            i
            for i, row in enumerate(probabilities)
            if m / bins < row.max() <= (m + 1) / bins or (m == 0 and row.max() == 0)
        ]
        if inside:
            right = np.mean([probabilities[i].argmax() == targets[i] for i in inside])
            confidence = np.mean([probabilities[i].max() for i in inside])
            total += len(inside) / len(targets) * abs(right - confidence)
    return total


@given(st.integers(0, 2**32), st.integers(1, 40), st.integers(2, 5), st.integers(1, 20))
def test_as_the_paper_defines_it(seed, count, classes, bins):
    rng = np.random.default_rng(seed)
    probabilities = rng.dirichlet(np.ones(classes), count)
    targets = rng.integers(0, classes, count)
    expected = by_loops(probabilities, targets, bins)
    assert expected_calibration_error(probabilities, targets, bins) == pytest.approx(expected, abs=1e-12)


def test_by_hand():
    """Two bins of 0.5: nothing in the first; confidences 0.6 and 1.0, one of the two right."""
    probabilities, targets = [[0.6, 0.4], [0.0, 1.0]], [1, 1]
    found = reliability(probabilities, targets, bins=2)
    assert found.counts.tolist() == [0, 2] and found.edges.tolist() == [0, 0.5, 1]
    assert np.isnan(found.accuracy[0]) and found.accuracy[1] == 0.5 and found.confidence[1] == 0.8
    assert expected_calibration_error(probabilities, targets, bins=2) == pytest.approx(0.3)


def test_a_confidence_on_an_edge_is_in_the_bin_below():
    assert reliability([[0.5, 0.5]], [0], bins=2).counts.tolist() == [1, 0]
    assert reliability([[1.0, 0.0]], [0], bins=4).counts.tolist() == [0, 0, 0, 1]


@pytest.mark.parametrize(
    ("probabilities", "targets", "bins", "message"),
    [
        ([[2.0, -1.0]], [0], 15, "softmax"),
        ([[0.5, 0.4]], [0], 15, "add up to 1"),
        ([[np.nan, 1.0]], [0], 15, "not finite"),
        ([[0.5, 0.5]], [2], 15, "from 0 to 1"),
        ([[0.5, 0.5]], [0], 0, "bins is 0"),
        ([[0.5, 0.5]], [0], 1.5, "bins is 1.5"),
    ],
)
def test_wrong_numbers(probabilities, targets, bins, message):
    with pytest.raises(ArgumentError, match=message):
        expected_calibration_error(probabilities, targets, bins)


@pytest.mark.parametrize(
    ("probabilities", "targets"), [([0.5], [0]), (np.zeros((0, 2)), np.zeros(0, int)), ([[0.5, 0.5]], [0, 1])]
)
def test_wrong_shapes(probabilities, targets):
    with pytest.raises(ShapeError):
        expected_calibration_error(probabilities, targets)
