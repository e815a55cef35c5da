"""Resampling and padding kernels against the matrices that they stand for."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinyconv.kernels import padding, resample


def matrix(positions, weights, size):
    """The map as a dense matrix (n_out, n_in)."""
    dense = np.zeros((len(positions), size))
    for row, (columns, values) in enumerate(zip(positions, weights, strict=True)):
        for column, value in zip(columns, values, strict=True):
            dense[row, column] += value
    return dense


@given(
    shape=st.lists(st.integers(1, 4), min_size=1, max_size=5),
    data=st.data(),
    order=st.integers(0, 200),
)
def test_resampling_is_a_matrix_and_its_adjoint_the_transpose(make_array, shape, data, order):
    axis = data.draw(st.integers(0, len(shape) - 1))
    n_out, taps = data.draw(st.integers(1, 5)), data.draw(st.integers(1, 3))
    rng = np.random.default_rng(order)
    positions = rng.integers(0, shape[axis], (n_out, taps))
    weights = rng.choice([1.0, 0.5, -0.25], (n_out, taps))
    dense = matrix(positions, weights, shape[axis])
    x = make_array(shape, order, dtype=np.float64)
    y = resample.resample(x, positions, weights, axis)
    np.testing.assert_allclose(y, np.moveaxis(np.tensordot(dense, x, (1, axis)), 0, axis), rtol=0, atol=1e-13)
    grad = make_array(y.shape, order + 1, seed=1, dtype=np.float64)
    back = resample.resample_adjoint(grad, positions, weights, axis, shape[axis])
    expected = np.moveaxis(np.tensordot(dense.T, grad, (1, axis)), 0, axis)
    np.testing.assert_allclose(back, expected, rtol=0, atol=1e-13)


def test_positions_that_no_output_takes_get_zero():
    back = resample.resample_adjoint(np.array([2.0, 3.0]), np.array([[3], [3]]), np.ones((2, 1)), 0, 5)
    assert back.tolist() == [0, 0, 0, 5, 0]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_dtype_stays_and_empty_arrays_pass(dtype):
    x = np.zeros((0, 2, 3), dtype)
    positions, weights = np.array([[0, 2]]), np.array([[0.5, 0.5]])
    y = resample.resample(x, positions, weights, 2)
    back = resample.resample_adjoint(y, positions, weights, 2, 3)
    assert (y.shape, y.dtype) == ((0, 2, 1), dtype)
    assert (back.shape, back.dtype) == ((0, 2, 3), dtype)


@given(
    shape=st.lists(st.integers(1, 5), min_size=1, max_size=4),
    data=st.data(),
    order=st.integers(0, 50),
)
def test_padding_is_numpys_and_cropping_its_inverse(make_array, shape, data, order):
    pairs = st.tuples(st.integers(0, 3), st.integers(0, 3))
    widths = tuple(data.draw(st.lists(pairs, min_size=len(shape), max_size=len(shape))))
    x = make_array(shape, order)
    y = padding.pad(x, widths, 7.0)
    np.testing.assert_array_equal(y, np.pad(x, widths, constant_values=7.0))
    np.testing.assert_array_equal(padding.pad(y, tuple((-b, -a) for b, a in widths), 0.0), x)


def test_one_side_can_be_cropped_and_the_other_padded():
    assert padding.pad(np.array([1, 2, 3]), ((-1, 2),), 9).tolist() == [2, 3, 9, 9]
    assert padding.pad(np.array([1, 2, 3]), ((2, -3),), 9).tolist() == [9, 9]


@given(
    shape=st.lists(st.integers(1, 5), min_size=3, max_size=5),
    data=st.data(),
    order=st.integers(0, 200),
)
def test_fast_is_the_float64_reference(any_size, make_array, shape, data, order):
    from tinyconv.kernels.cpu import resample as fast
    from tinyconv.kernels.reference import resample as reference

    axis = data.draw(st.integers(0, len(shape) - 1))
    n_out, taps = data.draw(st.integers(1, 7)), data.draw(st.integers(1, 3))
    rng = np.random.default_rng(order)
    positions = rng.integers(0, shape[axis], (n_out, taps))
    weights = rng.choice([1.0, 0.5, -0.25], (n_out, taps))
    x = make_array(shape, order)
    y = fast.resample(x, positions, weights, axis)
    right = reference.resample(x.astype(np.float64), positions, weights, axis)
    assert y.dtype == np.float32
    np.testing.assert_allclose(y, right, rtol=1e-6, atol=1e-5)
    grad = make_array(y.shape, order + 1, seed=1)
    back = fast.resample_adjoint(grad, positions, weights, axis, shape[axis])
    right = reference.resample_adjoint(grad.astype(np.float64), positions, weights, axis, shape[axis])
    np.testing.assert_allclose(back, right, rtol=1e-6, atol=2e-5)
