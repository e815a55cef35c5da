"""Convolutions with few channels: other micro-kernels, the same results."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

numba = pytest.importorskip("numba")

from tests.kernels.test_conv import (  # noqa: E402
    FLOAT32_ERROR,
    FLOAT64_ERROR,
    ORDERS,
    Case,
    cases,
    channels_last,
    check_all,
)
from tinyconv.device import conv_algorithm  # noqa: E402
from tinyconv.kernels.cpu import conv as fast  # noqa: E402
from tinyconv.kernels.cpu import threads as cpu_threads  # noqa: E402
from tinyconv.kernels.cpu._inner_product import INNER_ROWS, make_inner_tile, saves_time  # noqa: E402
from tinyconv.kernels.cpu._vector_code import lanes, lanes_for  # noqa: E402

Array = Any


@pytest.fixture(autouse=True, scope="module")
def _direct_and_shared() -> Any:
    with pytest.MonkeyPatch.context() as patch, conv_algorithm("direct"):
        patch.setattr(cpu_threads, "WORTH_SHARING", 0)
        yield


@st.composite
def few_columns(draw: Any) -> Case:
    """Long runs of channels on one side, one to eight channels on the other."""
    case = draw(cases())
    many, few = draw(st.integers(9, 70)), draw(st.integers(1, 8))
    channels, columns = draw(st.sampled_from(((many, few), (few, many))))
    return case._replace(channels=channels, columns=columns)


@settings(max_examples=60, deadline=None)
@given(few_columns(), st.sampled_from(ORDERS))
def test_few_channels_on_one_side(case: Case, order: Any) -> None:
    check_all(case, order, np.float32, FLOAT32_ERROR)


@settings(max_examples=20, deadline=None)
@given(few_columns(), st.sampled_from(ORDERS))
def test_few_channels_on_one_side_in_float64(case: Case, order: Any) -> None:
    check_all(case, order, np.float64, FLOAT64_ERROR)


LAYERS = (
    Case(4, 16, 1, 1, (64, 64), (1, 1), (1, 1), (0, 0), (1, 1)),
    Case(64, 6, 16, 1, (14, 14), (5, 5), (1, 1), (0, 0), (1, 1)),
    Case(2, 3, 16, 1, (100, 90), (3, 3), (1, 1), (1, 1), (1, 1)),
    Case(3, 3, 64, 1, (40, 50), (7, 7), (2, 2), (3, 3), (1, 1)),
    Case(2, 37, 7, 1, (30, 31), (3, 3), (1, 1), (1, 1), (1, 2)),
)


@pytest.mark.parametrize("case", LAYERS, ids=str)
def test_layers_of_several_bands(case: Case) -> None:
    check_all(case, channels_last, np.float32, FLOAT32_ERROR)


@pytest.mark.parametrize("columns", range(1, 9))
def test_an_infinity_beside_the_window_is_not_read(columns: int) -> None:
    """A run of 3 x 7 numbers does not fill its vectors: what follows belongs to other pixels."""
    x = np.zeros((1, 9, 9, 7), np.float32).transpose(0, 3, 1, 2)
    x[0, 3, 4, 4] = np.inf
    weight = np.ones((columns, 7, 3, 3), np.float32)
    runs = [(49, 3, 21)]
    assert columns > 3 or saves_time(columns, runs, lanes(4), lanes_for(columns, 4))
    y = fast.conv(x, weight, None, (1, 1), (0, 0), (1, 1), 1)
    expected = np.zeros((7, 7))
    expected[2:5, 2:5] = np.inf
    assert np.array_equal(y[0], np.broadcast_to(expected, (columns, 7, 7)))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("columns", INNER_ROWS)
def test_inner_tile(columns: int, dtype: Any) -> None:
    """The tile's C in a buffer of sevens, against the formula."""
    rows, segments, length = INNER_ROWS[columns], 3, 2 * lanes(np.dtype(dtype).itemsize) + 3
    rng = np.random.default_rng(0)
    a = rng.standard_normal(300).astype(dtype)
    b = rng.standard_normal((columns, segments * length + 2)).astype(dtype)
    start = rng.standard_normal(columns).astype(dtype)
    row, segment = rng.integers(0, 50, rows), rng.integers(0, 50, segments)
    out = rng.permutation(rows) * (columns + 3)
    c = np.full(rows * (columns + 3), 7, dtype)
    tile = make_inner_tile(rows, columns)

    @numba.njit
    def call(a, row, segment, b, step, c, out, start, segments, length):
        tile(a, 1, row, 0, segment, 0, segments, length, b, 0, step, c, 0, out, start, 0)

    call(a, row, segment, b.reshape(-1), b.shape[1], c, out, start, segments, length)
    steps = segment[:, None] + np.arange(length)
    sums = a[1 + row[:, None] + steps.reshape(-1)].astype(np.float64) @ b[:, : segments * length].T
    expected = np.full(c.size, 7.0)
    for i in range(rows):
        expected[out[i] : out[i] + columns] = sums[i] + start
    np.testing.assert_allclose(c, expected, rtol=0, atol=200 * np.finfo(dtype).eps)
    assert np.array_equal(c == 7, expected == 7)
