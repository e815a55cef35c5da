"""Normalisation on the GPU against the reference in float64: axes, memory orders, and far from 0."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.gpu import to_gpu
from tests.kernels.cuda.comparing import DTYPES, dtypes, orders
from tinyconv.kernels.cuda import norm as gpu
from tinyconv.kernels.reference import norm as reference

CLOSE = {np.float32: 1e-5, np.float64: 1e-12}


def check(got, expected, dtype, largest_term=1e-30):
    """Equal but for rounding, measured by the largest number, or by the largest that it is a sum of."""
    assert got.shape == expected.shape and got.dtype == dtype
    error = abs(got.get() - expected).max(initial=0)
    assert error <= CLOSE[dtype] * abs(expected).max(initial=largest_term)


def wide(*arrays):
    return [None if array is None else array.astype(np.float64) for array in arrays]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("order", [0, 3, 17])
@pytest.mark.parametrize("shape", [(3, 4, 9, 8), (600, 3), (2, 130, 7), (2, 5, 3, 4, 5)], ids=str)
def test_batch_norm_and_its_gradient(cuda, make_array, shape, order, dtype):
    x = make_array(shape, order, dtype=dtype) + dtype(100)
    grad = make_array(shape, order + 1, seed=1, dtype=dtype)
    weight, bias = (make_array(shape[1:2], order, seed, dtype=dtype) for seed in (2, 3))
    for scale, shift in ((weight, bias), (None, None)):
        parameters = [None if part is None else to_gpu(cuda, part) for part in (scale, shift)]
        results = gpu.batch_norm(to_gpu(cuda, x), *parameters, 1e-5)
        expected = reference.batch_norm(*wide(x, scale, shift), 1e-5)
        for got, right in zip(results, expected, strict=True):
            check(got, right, dtype)
        statistics = [part.get() for part in results[1:]]
        gradients = gpu.batch_norm_backward(
            to_gpu(cuda, grad), to_gpu(cuda, x), parameters[0], *results[1:], 1e-5
        )
        expected = reference.batch_norm_backward(*wide(grad, x, scale, *statistics), 1e-5)
        for got, right in zip(gradients, expected, strict=True):
            check(got, right, dtype)


AXES = [(0, 2, 3), (2, 3), (1, 2, 3), (3,), (0,), (0, 3), (0, 1, 2, 3), (-1,)]


@settings(deadline=None, max_examples=25)
@given(
    shape=st.tuples(*[st.sampled_from([1, 2, 5, 40])] * 4), axes=st.sampled_from(AXES),
    order=orders, dtype=dtypes,
)  # fmt: skip
def test_normalize_and_its_gradient(cuda, make_array, shape, axes, order, dtype):
    x = make_array(shape, order, dtype=dtype) + dtype(10)
    results = gpu.normalize(to_gpu(cuda, x), axes, 1e-3)
    for got, right in zip(results, reference.normalize(*wide(x), axes, 1e-3), strict=True):
        check(got, right, dtype)
    y, mean, var = (part.get() for part in results)
    rng, count = np.random.default_rng(2), x.size // mean.size
    grads = [make_array(shape, order + 1, 1, dtype=dtype)]
    grads += [(count * rng.normal(size=mean.shape)).astype(dtype) for _ in range(2)]
    expected = reference.normalize_backward(*wide(*grads, y, var), axes, 1e-3)
    got = gpu.normalize_backward(*(to_gpu(cuda, part) for part in (*grads, y, var)), axes, 1e-3)
    check(got, expected, dtype, abs(grads[0]).max() / np.sqrt(var.min() + 1e-3))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("groups", [1, 4, 12])
def test_groups_of_channels_of_channels_last_images(cuda, make_array, groups, dtype):
    """The axes of a group, its channels and the pixels, are no neighbours in memory."""
    images = make_array((3, 12, 9, 7), dtype=dtype) + np.linspace(-50, 100, 12, dtype=dtype)[:, None, None]
    stored = np.ascontiguousarray(images.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)
    x, axes = stored.reshape(3, groups, -1, 9, 7), (2, 3, 4)
    assert x.base is not None
    results = gpu.normalize(to_gpu(cuda, x), axes, 1e-5)
    for got, right in zip(results, reference.normalize(*wide(x), axes, 1e-5), strict=True):
        check(got, right, dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("before", "after"), [(0, 0), (2, 1), (0, 3), (70, 2)])
def test_neighbours_of_channels_and_channel_affine(cuda, make_array, before, after, dtype):
    for shape, order in (((2, 5, 3, 4), 0), ((2, 40, 6), 4), ((7, 33), 1)):
        x = make_array(shape, order, dtype=dtype)
        check(
            gpu.channel_window_sum(to_gpu(cuda, x), before, after),
            reference.channel_window_sum(*wide(x), before, after),
            dtype,
        )
        scale, shift = (make_array(shape[1:2], seed=seed, dtype=dtype) for seed in (1, 2))
        got = gpu.channel_affine(*(to_gpu(cuda, part) for part in (x, scale, shift)))
        check(got, reference.channel_affine(*wide(x, scale, shift)), dtype)


def test_statistics_far_from_zero_are_those_of_float64(cuda):
    """In more pieces than one: 5000 rows."""
    x = np.random.default_rng(0).normal(1e4, 1, (50, 3, 10, 10)).astype(np.float32)
    x[0, 0, 0, 0] = 1e6  # the first number of a thread, and unlike its others
    _, mean, var = gpu.batch_norm(to_gpu(cuda, x), None, None, 1e-5)
    np.testing.assert_allclose(mean.get(), x.astype(np.float64).mean((0, 2, 3)), rtol=1e-7)
    np.testing.assert_allclose(var.get(), x.astype(np.float64).var((0, 2, 3)), rtol=1e-5)


def test_numbers_whose_mean_no_float32_has(cuda):
    """Two neighbouring float32 numbers, whose mean lies between them."""
    x = np.array([[2**20], [2**20 + 0.125]] * 8, np.float32)
    assert x[0] + np.spacing(x[0]) == x[1]
    y, _, _ = gpu.batch_norm(to_gpu(cuda, x), None, None, 1e-5)
    right, _, _ = reference.batch_norm(x.astype(np.float64), None, None, 1e-5)
    np.testing.assert_allclose(y.get(), right, rtol=1e-6)


def test_equal_numbers_have_no_variance(cuda):
    x = np.full((40, 2, 5, 5), 0.1, np.float32)
    y, mean, var = gpu.batch_norm(to_gpu(cuda, x), None, None, 1e-5)
    assert var.get().tolist() == [0, 0] and mean.get().tolist() == [np.float32(0.1)] * 2
    assert abs(y.get()).max() < 1e-6


def test_nan_and_inf_reach_their_own_channel_only(cuda):
    x = np.random.default_rng(0).normal(size=(3, 4, 5, 6)).astype(np.float32)
    x[1, 1, 2, 3], x[0, 2, 0, 0] = np.nan, np.inf
    y, mean, var = (part.get() for part in gpu.batch_norm(to_gpu(cuda, x), None, None, 1e-5))
    assert np.isnan(y).any((0, 2, 3)).tolist() == np.isnan(var).tolist() == [False, True, True, False]
    assert np.isnan(y[:, 1:3]).all() and not np.isfinite(mean[1:3]).any()


def test_empty_arrays_are_the_references(cuda):
    y, mean, var = gpu.batch_norm(to_gpu(cuda, np.zeros((0, 3, 2, 2), np.float32)), None, None, 1e-5)
    assert y.shape == (0, 3, 2, 2) and np.isnan(mean.get()).all() and np.isnan(var.get()).all()
