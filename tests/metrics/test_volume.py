from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinyconv.errors import ArgumentError, ShapeError
from tinyconv.metrics import ejection_fraction, volume


def test_a_box():
    mask = np.zeros((6, 8, 10), bool)
    mask[1:4, 2:6, 3:8] = True
    assert volume(mask) == 60
    assert volume(mask, 2.0) == 480
    assert volume(mask, (3.0, 0.5, 0.25)) == 60 * 0.375
    assert volume(mask[0]) == 0


@given(st.floats(1, 300), st.floats(0, 300))
def test_what_is_left_and_what_is_pumped_out_are_all(full, emptied):
    fraction = ejection_fraction(full, emptied)
    assert full * (1 - fraction / 100) == pytest.approx(emptied, abs=1e-9)


def test_several_hearts_at_once():
    assert ejection_fraction([100.0, 80.0], [40.0, 80.0]).tolist() == [60.0, 0.0]
    assert ejection_fraction(100, 130) == -30.0


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: volume(np.full((2, 2), 2)), ArgumentError, "other values than 0 and 1"),
        (lambda: volume(np.full((2, 2), np.nan)), ArgumentError, "other values than 0 and 1"),
        (lambda: volume(True), ShapeError, "at least one dimension"),
        (lambda: volume(np.ones((2, 2)), (1, 1, 1)), ArgumentError, "spacing"),
        (lambda: volume(np.ones((2, 2)), 0), ArgumentError, "spacing"),
        (lambda: volume(np.ones((2, 2)), (1, -1)), ArgumentError, "spacing"),
        (lambda: volume(np.ones((2, 2)), (1, np.inf)), ArgumentError, "spacing"),
        (lambda: ejection_fraction(0, 0), ArgumentError, "end_diastolic is 0, expected volumes above 0"),
        (lambda: ejection_fraction(10, -1), ArgumentError, "end_systolic is -1"),
        (lambda: ejection_fraction(10, np.nan), ArgumentError, "end_systolic is not finite"),
        (lambda: ejection_fraction([10, 20], 5), ShapeError, "end_systolic"),
    ],
)
def test_wrong_arguments(call, error, message):
    with pytest.raises(error, match=message):
        call()
