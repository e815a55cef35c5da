"""Convolutions with few channels: other micro-kernels, the same results."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

numba = pytest.importorskip("numba")

from tests.kernels.conv_case import Case, channels_last  # noqa: E402
from tests.kernels.test_conv import FLOAT32_ERROR, FLOAT64_ERROR, ORDERS, cases, check_all  # noqa: E402
from tinyconv.device import available_threads, conv_algorithm, num_threads  # noqa: E402
from tinyconv.kernels.cpu import conv as fast  # noqa: E402
from tinyconv.kernels.cpu import threads as cpu_threads  # noqa: E402
from tinyconv.kernels.cpu._inner_product import INNER_ROWS, make_inner_tile  # noqa: E402
from tinyconv.kernels.cpu._vector_code import lanes  # noqa: E402

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


@st.composite
def groups(draw: Any) -> Case:
    """Up to 40 groups of the sizes that share a vector, and of others."""
    channels = draw(st.sampled_from((1, 1, 2, 3, 4, 8)))
    columns = draw(st.sampled_from((channels, channels, channels, 1, 5)))
    return draw(cases())._replace(channels=channels, columns=columns, groups=draw(st.integers(2, 40)))


@settings(max_examples=60, deadline=None)
@given(groups(), st.sampled_from(ORDERS))
def test_groups(case: Case, order: Any) -> None:
    check_all(case, order, np.float32, FLOAT32_ERROR)


@settings(max_examples=20, deadline=None)
@given(groups(), st.sampled_from(ORDERS))
def test_groups_in_float64(case: Case, order: Any) -> None:
    check_all(case, order, np.float64, FLOAT64_ERROR)


GROUPED = (
    Case(3, 4, 4, 32, (28, 28), (3, 3), (1, 1), (1, 1), (1, 1)),
    Case(2, 2, 2, 13, (40, 30), (5, 3), (2, 1), (2, 1), (1, 1)),
    Case(2, 8, 8, 3, (20, 31), (3, 3), (1, 2), (2, 2), (2, 2)),
    Case(2, 1, 1, 67, (33, 64), (3, 3), (1, 1), (1, 1), (1, 1)),
    Case(2, 1, 1, 32, (20, 10), (3, 3), (1, 1), (0, 0), (1, 1)),
)


@pytest.mark.parametrize("case", GROUPED, ids=str)
def test_groups_of_several_bands(case: Case) -> None:
    check_all(case, channels_last, np.float32, FLOAT32_ERROR)


def three(case: Case, x: Array, weight: Array, bias: Array, grad: Array) -> list[Array]:
    return [
        fast.conv(x, weight, bias, *case.geometry),
        fast.conv_transpose(grad, weight, None, case.size, *case.geometry),
        fast.conv_weight_grad(x, grad, case.kernel_size, *case.geometry),
    ]


@pytest.mark.parametrize("case", [*GROUPED[:4], *LAYERS[:2]], ids=str)
def test_same_bits_for_every_number_of_threads(case: Case) -> None:
    arrays = case.arrays()
    with num_threads(available_threads()):
        expected = three(case, *arrays)
    with num_threads(1):
        for got, other in zip(three(case, *arrays), expected, strict=True):
            assert np.array_equal(got, other)


@pytest.mark.parametrize("channels", [1, 2, 4])
def test_infinity_and_nan_stay_in_their_group(channels: int) -> None:
    """Nine groups: the last vector is not full. Each group sees its own channels only."""
    case = Case(1, channels, channels, 9, (6, 12), (3, 3), (1, 1), (1, 1), (1, 1))
    x, weight, bias, grad = case.arrays()
    x[0, 4 * channels, 2, 3] = np.nan
    grad[0, 5 * channels, 1, 1] = np.inf
    y, x_grad, weight_grad = three(case, x, weight, bias, grad)
    assert {c // channels for c in np.unique(np.nonzero(~np.isfinite(y))[1])} == {4}
    assert {c // channels for c in np.unique(np.nonzero(~np.isfinite(x_grad))[1])} == {5}
    assert {c // channels for c in np.unique(np.nonzero(~np.isfinite(weight_grad))[0])} == {4, 5}
