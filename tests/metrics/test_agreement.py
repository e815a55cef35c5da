from __future__ import annotations

import statistics

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinyconv.errors import ArgumentError, ShapeError
from tinyconv.metrics import bland_altman

VALUES = st.floats(-1e3, 1e3)


@given(st.lists(st.tuples(VALUES, VALUES), min_size=2, max_size=20))
def test_as_the_statistics_module_has_it(pairs):
    measured, reference = map(list, zip(*pairs, strict=True))
    found = bland_altman(measured, reference)
    differences = [a - b for a, b in pairs]
    deviation = statistics.stdev(differences)
    reach = statistics.NormalDist().inv_cdf(0.975) * deviation
    assert found.bias == pytest.approx(statistics.fmean(differences), abs=1e-9)
    assert found.standard_deviation == pytest.approx(deviation, abs=1e-9)
    assert (found.lower, found.upper) == pytest.approx((found.bias - reach, found.bias + reach), abs=1e-9)
    np.testing.assert_allclose(found.means, [(a + b) / 2 for a, b in pairs], atol=1e-9)
    assert found.differences.tolist() == differences


def test_by_hand():
    found = bland_altman([1.0, 3.0], [0.0, 0.0])
    assert (found.bias, found.standard_deviation) == (2.0, 2**0.5)
    assert found.upper == pytest.approx(2 + 1.959964 * 2**0.5, abs=1e-6)


@pytest.mark.parametrize(
    ("measured", "reference", "error"),
    [
        ([1.0], [1.0], ShapeError),
        ([1.0, 2.0], [1.0, 2.0, 3.0], ShapeError),
        ([[1.0, 2.0]], [[1.0, 2.0]], ShapeError),
        ([1.0, np.inf], [1.0, 2.0], ArgumentError),
        ([1.0, 2.0], [np.nan, 2.0], ArgumentError),
    ],
)
def test_wrong_arguments(measured, reference, error):
    with pytest.raises(error, match="bland_altman"):
        bland_altman(measured, reference)
