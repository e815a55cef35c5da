"""Sums and maxima: exact sums of whole numbers, accuracy, and independence of the threads."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinyconv import device
from tinyconv.kernels import find_kernel
from tinyconv.kernels.reference import reduction as reference

pytestmark = pytest.mark.usefixtures("any_size")

BACKENDS = ["reference", "cpu"]


@st.composite
def shapes_and_axes(draw):
    shape = tuple(draw(st.lists(st.sampled_from([0, 1, 2, 3, 16, 33]), max_size=4)))
    axes = [axis for axis in range(len(shape)) if draw(st.booleans())]
    return shape, tuple(axis - len(shape) * draw(st.integers(0, 1)) for axis in axes)


@settings(deadline=None, max_examples=150)
@given(case=shapes_and_axes(), order=st.integers(0, 47), keepdims=st.booleans(), seed=st.integers(0, 99))
def test_sum_of_whole_numbers_is_exact(make_array, case, order, keepdims, seed):
    shape, axis = case
    x = np.rint(make_array(shape, order, seed))
    expected = x.astype(np.int64).sum(axis=axis, keepdims=keepdims)
    for backend in BACKENDS:
        y = find_kernel(backend, "reduction", "sum")(x, axis, keepdims)
        assert isinstance(y, np.ndarray) and y.dtype == np.float32
        np.testing.assert_array_equal(y, expected)


@settings(deadline=None, max_examples=60)
@given(case=shapes_and_axes(), order=st.integers(0, 47), keepdims=st.booleans())
def test_max_is_numpys(make_array, case, order, keepdims):
    shape, axis = case
    if 0 in shape:
        return
    x = make_array(shape, order, special=True)
    for backend in BACKENDS:
        y = find_kernel(backend, "reduction", "max")(x, axis, keepdims)
        assert isinstance(y, np.ndarray)
        np.testing.assert_array_equal(y, np.max(x, axis=axis, keepdims=keepdims))


@pytest.mark.parametrize("backend", BACKENDS)
def test_accuracy_over_a_million_terms(backend):
    x = np.random.default_rng(0).uniform(0, 1, 1_000_003).astype(np.float32)
    exact = math.fsum(x.tolist())
    assert find_kernel(backend, "reduction", "sum")(x, (0,), False) == np.float32(exact)


@pytest.mark.parametrize("channels", [1, 2, 3, 16, 100, 300])
@pytest.mark.parametrize("axis", [(0, 2, 3), (2, 3), (0, 1, 2, 3), (1,)])
def test_channels_last_sums(channels, axis):
    rng = np.random.default_rng(0)
    x = rng.uniform(0, 1, (3, 37, 41, channels)).astype(np.float32).transpose(0, 3, 1, 2)
    y = find_kernel("cpu", "reduction", "sum")(x, axis, True)
    expected = x.astype(np.float64).sum(axis=axis, keepdims=True)
    assert y.shape == expected.shape
    np.testing.assert_allclose(y, expected, rtol=3e-7)


def test_threads_do_not_change_the_sum():
    x = np.random.default_rng(0).normal(size=(100_000, 7)).astype(np.float32)
    sums = []
    for threads in {1, device.available_threads()}:
        with device.num_threads(threads):
            sums.append(find_kernel("cpu", "reduction", "sum")(x, (0,), False))
    for other in sums:
        np.testing.assert_array_equal(other, sums[0])


@pytest.mark.parametrize("backend", BACKENDS)
def test_nan_and_inf_are_seen(backend):
    x = np.zeros((1000, 4), dtype=np.float32)
    x[500, 1], x[3, 2], x[4, 3], x[5, 3] = np.nan, np.inf, np.inf, -np.inf
    y = find_kernel(backend, "reduction", "sum")(x, (0,), False)
    np.testing.assert_array_equal(y, [0, np.nan, np.inf, np.nan])
    y = find_kernel(backend, "reduction", "max")(x, (0,), False)
    np.testing.assert_array_equal(y, [0, np.nan, np.inf, np.inf])


def test_float64_and_whole_numbers():
    x = np.arange(10.0)
    assert reference.sum(x, (0,), False).dtype == np.float64
    assert reference.sum(x.astype(np.int32), (0,), False) == 45
    assert reference.sum(x > 3, (0,), False) == 6
