"""Pooling kernels on the GPU against the reference: windows, ties, NaN, overlap, strange indices."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from tests.gpu import to_gpu
from tests.kernels.cuda.comparing import dtypes, orders, seeds
from tinyconv.kernels.cuda import adaptive_pooling as adaptive_gpu
from tinyconv.kernels.cuda import pooling as gpu
from tinyconv.kernels.cuda._boxes import maps_of
from tinyconv.kernels.reference import adaptive_pooling as adaptive_reference
from tinyconv.kernels.reference import pooling as reference

CLOSE = {np.float32: {"rtol": 1e-6, "atol": 1e-5}, np.float64: {"rtol": 1e-14, "atol": 1e-13}}


@st.composite
def windows(draw, dilated=True):
    """A shape and a window that fits: (shape, kernel_size, stride, padding, dilation, ceil_mode)."""
    ndim = draw(st.integers(1, 3))
    each = lambda strategy: tuple(draw(st.lists(strategy, min_size=ndim, max_size=ndim)))  # noqa: E731
    size, kernel_size, stride = each(st.integers(1, 7)), each(st.integers(1, 4)), each(st.integers(1, 4))
    padding = tuple(draw(st.integers(0, k // 2)) for k in kernel_size)
    dilation = each(st.integers(1, 2 if dilated else 1))
    for n, k, p, d in zip(size, kernel_size, padding, dilation, strict=True):
        assume(n + 2 * p >= d * (k - 1) + 1 and (d == 1 or p == 0))
    shape = (draw(st.integers(0, 2)), draw(st.sampled_from([0, 1, 3, 8, 17])), *size)
    return shape, kernel_size, stride, padding, dilation, draw(st.booleans())


@settings(deadline=None, max_examples=30)
@given(window=windows(), order=orders, seed=seeds, dtype=dtypes)
@example(((2, 17, 8, 6), (2, 2), (2, 2), (0, 0), (1, 1), False), 1, 0, np.float32)
@example(((2, 8, 8, 6), (2, 2), (2, 2), (0, 0), (1, 1), False), 1, 0, np.float32)
@example(((2, 8, 7, 7), (3, 3), (2, 2), (1, 1), (1, 1), False), 0, 0, np.float64)
@example(((1, 3, 7, 7), (3, 3), (2, 2), (1, 1), (1, 1), True), 0, 0, np.float32)
def test_max_pool_and_the_ways_back(cuda, make_array, window, order, seed, dtype):
    shape, *arguments = window
    size = shape[2:]
    x = make_array(shape, order, seed, special=True, dtype=dtype)
    right, places = reference.max_pool(x, *arguments)
    y, indices = gpu.max_pool(to_gpu(cuda, x), *arguments)
    assert (y.dtype, indices.dtype) == (dtype, np.int32)
    np.testing.assert_array_equal(y.get(), right)
    np.testing.assert_array_equal(indices.get(), places)
    np.testing.assert_array_equal(gpu.pool_gather(to_gpu(cuda, x), indices).get(), right)
    grad = make_array(right.shape, order + 1, seed + 1, dtype=dtype)
    back = gpu.pool_scatter(to_gpu(cuda, grad), indices, size).get()
    np.testing.assert_allclose(back, reference.pool_scatter(grad, places, size), **CLOSE[dtype])
    there = gpu.unpool(to_gpu(cuda, grad), indices.astype(np.int64), size)
    assert there.dtype == dtype
    np.testing.assert_array_equal(there.get(), reference.unpool(grad, places, size))


@settings(deadline=None, max_examples=25)
@given(
    window=windows(dilated=False), order=orders, include=st.booleans(),
    dtype=dtypes,
)  # fmt: skip
def test_avg_pool_and_its_gradient(cuda, make_array, window, order, include, dtype):
    shape, kernel_size, stride, padding, _, ceil_mode = window
    arguments = (kernel_size, stride, padding, ceil_mode, include)
    x = make_array(shape, order, dtype=dtype)
    right = reference.avg_pool(x, *arguments)
    y = gpu.avg_pool(to_gpu(cuda, x), *arguments)
    assert y.dtype == dtype
    np.testing.assert_allclose(y.get(), right, **CLOSE[dtype])
    grad = make_array(right.shape, order, 1, dtype=dtype)
    right = reference.avg_pool_backward(grad, shape[2:], *arguments)
    back = gpu.avg_pool_backward(to_gpu(cuda, grad), shape[2:], *arguments)
    np.testing.assert_allclose(back.get(), right, **CLOSE[dtype])


@settings(deadline=None, max_examples=25)
@given(
    size=st.lists(st.tuples(st.integers(1, 7), st.integers(1, 9)), min_size=1, max_size=3),
    images=st.integers(0, 2), channels=st.sampled_from([0, 1, 3, 8, 17]), order=orders,
    dtype=dtypes,
)  # fmt: skip
@example([(5, 1), (7, 1)], 2, 17, 3, np.float32)
@example([(5, 3), (7, 2)], 2, 8, 3, np.float32)
def test_adaptive_pooling(cuda, make_array, size, images, channels, order, dtype):
    pixels, wanted = (tuple(side) for side in zip(*size, strict=True))
    shape = (images, channels, *pixels)
    x = make_array(shape, order, special=True, dtype=dtype)
    results = adaptive_gpu.adaptive_max_pool(to_gpu(cuda, x), wanted)
    for got, right in zip(results, adaptive_reference.adaptive_max_pool(x, wanted), strict=True):
        assert got.dtype == right.dtype
        np.testing.assert_array_equal(got.get(), right)
    x = make_array(shape, order, dtype=dtype)
    y = adaptive_gpu.adaptive_avg_pool(to_gpu(cuda, x), wanted)
    assert y.dtype == dtype
    np.testing.assert_allclose(y.get(), adaptive_reference.adaptive_avg_pool(x, wanted), **CLOSE[dtype])
    grad = make_array((*shape[:2], *wanted), order, 1, dtype=dtype)
    back = adaptive_gpu.adaptive_avg_pool_backward(to_gpu(cuda, grad), pixels)
    right = adaptive_reference.adaptive_avg_pool_backward(grad, pixels)
    np.testing.assert_allclose(back.get(), right, **CLOSE[dtype])


def test_indices_from_elsewhere_go_where_they_say(cuda):
    """No window lies where it is expected, and some indices occur more than once."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2, 3, 4, 4)).astype(np.float32)
    indices = rng.integers(0, 48, x.shape).astype(np.int32)
    assert len(np.unique(indices[0, 0])) < 16
    np.testing.assert_array_equal(
        gpu.unpool(to_gpu(cuda, x), to_gpu(cuda, indices), (8, 6)).get(), reference.unpool(x, indices, (8, 6))
    )
    right = reference.pool_scatter(x.astype(np.float64), indices, (8, 6))
    np.testing.assert_allclose(
        gpu.pool_scatter(to_gpu(cuda, x), to_gpu(cuda, indices), (8, 6)).get(), right, rtol=1e-6, atol=1e-6
    )


@pytest.mark.parametrize("bad", [-1, 16, 2**31 - 1, 2**32 + 1])
def test_an_index_outside_is_left_out(cuda, bad):
    x = np.arange(1, 5, dtype=np.float32).reshape(1, 1, 2, 2)
    indices = np.array([[[[0, 1], [2, bad]]]])
    for spread in (gpu.pool_scatter, gpu.unpool):
        y = spread(to_gpu(cuda, x), to_gpu(cuda, indices), (4, 4)).get()
        assert y.ravel()[:3].tolist() == [1, 2, 3] and np.count_nonzero(y) == 3
    image = np.arange(1, 17, dtype=np.float32).reshape(1, 1, 4, 4)
    assert gpu.pool_gather(to_gpu(cuda, image), to_gpu(cuda, indices)).get().ravel().tolist() == [1, 2, 3, 0]


def test_windows_that_are_refused(cuda):
    from tinyconv.errors import ShapeError

    x = to_gpu(cuda, np.ones((1, 1, 1, 1), np.float32))
    with pytest.raises(ShapeError, match="padding is"):
        gpu.max_pool(x, (2, 2), (1, 1), (1, 1), (2, 2), False)
    with pytest.raises(ShapeError, match="padding is"):
        gpu.avg_pool(x, (1, 1), (1, 1), (1, 1), False, True)


def test_whole_numbers_are_pooled_by_the_reference(cuda):
    x = np.arange(16).reshape(1, 1, 4, 4)
    y, indices = gpu.max_pool(to_gpu(cuda, x), (2, 2), (2, 2), (0, 0), (1, 1), False)
    assert y.get().ravel().tolist() == indices.get().ravel().tolist() == [5, 7, 13, 15]


def test_arrays_that_begin_anywhere(cuda):
    """Not at a multiple of 16 bytes, where four numbers could be loaded at once."""
    numbers = np.random.default_rng(0).normal(size=2 * 6 * 8 * 4 + 1).astype(np.float32)
    x = numbers[1:].reshape(2, 6, 8, 4).transpose(0, 3, 1, 2)
    found = to_gpu(cuda, numbers)[1:].reshape(2, 6, 8, 4).transpose(0, 3, 1, 2)
    assert found.data.ptr % 16 == 4
    assert maps_of(found, (6, 8), (3, 4), found)["lanes"] == 1
    assert maps_of(found, (6, 8), (3, 4), found.copy())["lanes"] == 4
    windows = (2, 2), (2, 2), (0, 0), (1, 1), False
    y, indices = gpu.max_pool(found, *windows)
    right, places = reference.max_pool(x, *windows)
    np.testing.assert_array_equal(y.get(), right)
    np.testing.assert_array_equal(
        gpu.unpool(y, indices, (6, 8)).get(), reference.unpool(right, places, (6, 8))
    )


def test_channels_stay_last_in_memory(cuda):
    x = np.ones((2, 8, 6, 4), np.float32).transpose(0, 3, 1, 2)
    for pooled in (
        *gpu.max_pool(to_gpu(cuda, x), (2, 2), (2, 2), (0, 0), (1, 1), False),
        adaptive_gpu.adaptive_avg_pool(to_gpu(cuda, x), (3, 2)),
    ):
        assert pooled.transpose(0, 2, 3, 1).flags.c_contiguous
