"""Adaptive pooling: every window by a loop, the adjoint, ties, and that inputs stay as they are."""

from __future__ import annotations

from itertools import product
from math import ceil, floor
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinyconv.kernels.reference import adaptive_pooling as reference


@st.composite
def shapes(draw: Any) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """An input's shape and the size of an output, which may be larger."""
    ndim = draw(st.integers(1, 3))
    size = tuple(draw(st.integers(1, 7)) for _ in range(ndim))
    wanted = tuple(draw(st.integers(1, n + 3)) for n in size)
    return (draw(st.integers(0, 2)), draw(st.integers(0, 3)), *size), wanted


def windows(size: tuple[int, ...], wanted: tuple[int, ...]) -> Any:
    """(output pixel, slices of its window), by the formula with real division."""
    for place in product(*map(range, wanted)):
        bounds = zip(place, size, wanted, strict=True)
        yield place, tuple(slice(floor(i * n / m), ceil((i + 1) * n / m)) for i, n, m in bounds)


@pytest.mark.parametrize("order", [0, 5, 30, 121])
@settings(max_examples=25)
@given(case=shapes())
def test_each_window_is_pooled(case: Any, order: int, make_array: Any) -> None:
    shape, wanted = case
    x = make_array(shape, order, dtype=np.float64)
    copy = x.copy()
    mean = reference.adaptive_avg_pool(x, wanted)
    largest, indices = reference.adaptive_max_pool(x, wanted)
    np.testing.assert_array_equal(x, copy)
    assert indices.dtype == np.int32
    assert mean.shape == largest.shape == indices.shape == (*shape[:2], *wanted)
    over = tuple(range(2, x.ndim))
    for place, window in windows(shape[2:], wanted):
        pixels = x[(..., *window)]
        np.testing.assert_allclose(mean[(..., *place)], pixels.mean(over), rtol=1e-12, atol=1e-14)
        np.testing.assert_array_equal(largest[(..., *place)], pixels.max(over))
    flat = x.reshape(*shape[:2], np.prod(shape[2:], dtype=int))
    chosen = np.take_along_axis(flat, indices.reshape(*shape[:2], np.prod(wanted, dtype=int)), 2)
    np.testing.assert_array_equal(chosen.reshape(largest.shape), largest)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@settings(max_examples=25)
@given(case=shapes())
def test_the_backward_is_the_adjoint(case: Any, dtype: Any, make_array: Any) -> None:
    shape, wanted = case
    x, grad = make_array(shape, 3, dtype=dtype), make_array((*shape[:2], *wanted), 1, 1, dtype=dtype)
    copy = grad.copy()
    back = reference.adaptive_avg_pool_backward(grad, shape[2:])
    np.testing.assert_array_equal(grad, copy)
    assert back.shape == shape and back.dtype == dtype
    left = np.vdot(reference.adaptive_avg_pool(x, wanted).astype(float), grad.astype(float))
    right = np.vdot(x.astype(float), back.astype(float))
    assert abs(left - right) <= (1e-4 if dtype == np.float32 else 1e-11) * (1 + np.abs(x).sum())


def test_the_first_maximum_in_reading_order_wins_and_nan_over_everything() -> None:
    x = np.zeros((1, 1, 4, 4))
    assert reference.adaptive_max_pool(x, (2, 1))[1].tolist() == [[[[0], [8]]]]
    x[0, 0, 1, 2] = np.nan
    y, indices = reference.adaptive_max_pool(x, (2, 1))
    assert np.isnan(y[0, 0, 0, 0]) and y[0, 0, 1, 0] == 0
    assert indices.tolist() == [[[[6], [8]]]]


def test_nan_stays_in_its_windows() -> None:
    x = np.ones((1, 1, 6))
    x[0, 0, 0] = np.nan
    assert np.isnan(reference.adaptive_avg_pool(x, (3,))).tolist() == [[[True, False, False]]]


@pytest.mark.parametrize("order", [0, 5, 30, 121])
@settings(max_examples=25, deadline=None)
@given(case=shapes())
def test_the_fast_ones_are_the_reference(case: Any, order: int, make_array: Any, any_size: None) -> None:
    fast = pytest.importorskip("tinyconv.kernels.cpu.adaptive_pooling")
    shape, wanted = case
    x, grad = make_array(shape, order, special=True), make_array((*shape[:2], *wanted), order, 1)
    for computed, right in zip(
        fast.adaptive_max_pool(x, wanted), reference.adaptive_max_pool(x, wanted), strict=True
    ):
        assert computed.dtype == right.dtype
        np.testing.assert_array_equal(computed, right)
    x = make_array(shape, order)
    mean, back = fast.adaptive_avg_pool(x, wanted), fast.adaptive_avg_pool_backward(grad, shape[2:])
    assert mean.dtype == back.dtype == np.float32
    exact, exact_grad = x.astype(np.float64), grad.astype(np.float64)
    for found, right, numbers in (
        (mean, reference.adaptive_avg_pool(exact, wanted), x),
        (back, reference.adaptive_avg_pool_backward(exact_grad, shape[2:]), grad),
    ):  # a sum of numbers that cancel is as exact as the largest of them
        largest = np.abs(numbers).max(initial=0)
        np.testing.assert_allclose(found, right, rtol=1e-6, atol=1e-6 * largest)


def test_global_means_of_large_images_are_those_of_float64(any_size: None) -> None:
    fast = pytest.importorskip("tinyconv.kernels.cpu.adaptive_pooling")
    x = np.random.default_rng(0).uniform(0, 1, (2, 300, 301, 5)).astype(np.float32).transpose(0, 3, 1, 2)
    for size in ((1, 1), (2, 1), (300, 1)):
        right = reference.adaptive_avg_pool(x.astype(np.float64), size)
        np.testing.assert_allclose(fast.adaptive_avg_pool(x, size), right, rtol=1e-6)
