"""Normalisation kernels: hand-computed numbers, SciPy, memory order, empty and extreme input."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

from tinyconv.kernels.reference import norm as reference


def test_normalize_by_hand() -> None:
    x = np.array([[1.0, 10.0], [3.0, 10.0], [8.0, 10.0]])
    y, mean, var = reference.normalize(x, (0,), 0.25)
    np.testing.assert_allclose(mean, [[4.0, 10.0]])
    np.testing.assert_allclose(var, [[26 / 3, 0.0]])
    np.testing.assert_allclose(y[:, 0], np.array([-3, -1, 4]) / np.sqrt(26 / 3 + 0.25))
    np.testing.assert_array_equal(y[:, 1], [0, 0, 0])


@pytest.mark.parametrize("axes", [(0,), (0, 2, 3), (2, 3), (1, 2, 3), (3,)])
def test_normalize_is_the_z_score_of_scipy(axes: tuple[int, ...]) -> None:
    stats = pytest.importorskip("scipy.stats")
    x = np.random.default_rng(0).normal(5, 3, (3, 4, 5, 6))
    y, _, _ = reference.normalize(x, axes, 0.0)
    flat = np.moveaxis(x, axes, range(len(axes)))
    expected = stats.zscore(flat.reshape(-1, *flat.shape[len(axes) :]), axis=0).reshape(flat.shape)
    np.testing.assert_allclose(np.moveaxis(y, axes, range(len(axes))), expected, rtol=1e-10, atol=1e-12)


def test_float32_sums_lose_nothing() -> None:
    x = np.full(3_000_000, 0.1, "float32")
    x[::2] = 1000.1
    _, mean, var = reference.normalize(x, (0,), 1e-5)
    wide = x.astype("float64")
    assert mean.dtype == var.dtype == np.float32
    assert mean[0] == np.float32(wide.mean())
    assert var[0] == np.float32(wide.var())


def test_nothing_warns() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        y, mean, _ = reference.normalize(np.zeros((0, 3)), (0,), 1e-5)
        assert y.shape == (0, 3) and np.isnan(mean).all()
        y, _, _ = reference.normalize(np.array([np.inf, 1.0, np.nan]), (0,), 1e-5)
        assert np.isnan(y).all()


def test_channel_window_sum_by_hand() -> None:
    x = np.array([[1.0, 10.0, 100.0, 1000.0]])
    np.testing.assert_array_equal(reference.channel_window_sum(x, 1, 0), [[1, 11, 110, 1100]])
    np.testing.assert_array_equal(reference.channel_window_sum(x, 0, 1), [[11, 110, 1100, 1000]])
    np.testing.assert_array_equal(reference.channel_window_sum(x, 1, 2), [[111, 1111, 1110, 1100]])
    np.testing.assert_array_equal(reference.channel_window_sum(x, 9, 9), [[1111] * 4])


@pytest.mark.parametrize(("before", "after"), [(0, 0), (2, 1), (0, 3), (7, 2)])
def test_looking_the_other_way_is_the_adjoint(before: int, after: int) -> None:
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((2, 2, 5, 3))
    there = (reference.channel_window_sum(x, before, after) * y).sum()
    back = (x * reference.channel_window_sum(y, after, before)).sum()
    assert there == pytest.approx(back, rel=1e-12)


def test_memory_order_and_input_stay() -> None:
    x = np.random.default_rng(0).standard_normal((2, 4, 5, 3)).transpose(0, 3, 1, 2)
    before = x.copy()
    assert reference.normalize(x, (0, 2, 3), 1e-5)[0].strides == x.strides
    assert reference.channel_window_sum(x, 1, 1).strides == x.strides
    np.testing.assert_array_equal(x, before)


SHAPES = [(16, 64, 9, 8), (8, 3, 50, 40), (4096, 33), (16, 512, 2, 2), (3, 20, 7, 9, 9), (2, 130, 64)]


def _relative(got: np.ndarray, expected: np.ndarray) -> float:
    assert got.shape == expected.shape and got.dtype == np.float32
    return float(abs(got - expected).max() / abs(expected).max())


@pytest.mark.parametrize("affine", [True, False])
@pytest.mark.parametrize("order", range(4))
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_fast_batch_norm_is_that_of_the_float64_reference(
    any_size: None, make_array: Any, shape: tuple[int, ...], order: int, affine: bool
) -> None:
    from tinyconv.kernels.cpu import norm as fast

    x = make_array(shape, order) + np.float32(100)
    grad = make_array(shape, order + 1, seed=1)
    weight, bias = (make_array(shape[1:2], seed=seed) if affine else None for seed in (2, 3))
    wide = [None if a is None else a.astype(np.float64) for a in (x, grad, weight, bias)]
    expected = reference.batch_norm(wide[0], wide[2], wide[3], 1e-5)
    results = fast.batch_norm(x, weight, bias, 1e-5)
    for got, value in zip(results, expected, strict=True):
        assert _relative(got, value) < 1e-5
    gradients = fast.batch_norm_backward(grad, x, weight, *results[1:], 1e-5)
    rounded = [statistic.astype(np.float64) for statistic in results[1:]]
    expected = reference.batch_norm_backward(wide[1], wide[0], wide[2], *rounded, 1e-5)
    for got, value in zip(gradients, expected, strict=True):
        assert _relative(got, value) < 1e-5


@pytest.mark.parametrize("order", range(4))
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_fast_channel_affine_is_that_of_the_reference(
    any_size: None, make_array: Any, shape: tuple[int, ...], order: int
) -> None:
    from tinyconv.kernels.cpu import norm as fast

    x = make_array(shape, order)
    scale, shift = (make_array(shape[1:2], seed=seed) for seed in (1, 2))
    expected = reference.channel_affine(*(a.astype(np.float64) for a in (x, scale, shift)))
    assert _relative(fast.channel_affine(x, scale, shift), expected) < 1e-6


@pytest.mark.parametrize("axes", [(0, 2, 3), (2, 3), (1, 2, 3), (3,), (0,)])
@pytest.mark.parametrize("order", range(4))
def test_fast_normalize_is_that_of_the_float64_reference(
    any_size: None, make_array: Any, order: int, axes: tuple[int, ...]
) -> None:
    from tinyconv.kernels.cpu import norm as fast

    x = make_array((6, 40, 9, 30), order) + np.float32(100)
    for got, value in zip(
        fast.normalize(x, axes, 1e-5), reference.normalize(x.astype(np.float64), axes, 1e-5), strict=True
    ):
        assert _relative(got, value) < 1e-5


AXES = [(0, 2, 3), (2, 3), (1, 2, 3), (3,), (0,)]


@pytest.mark.parametrize("groups", [1, 5, 8, 40])
@pytest.mark.parametrize("order", range(4))
def test_fast_normalize_of_groups_of_channels(
    any_size: None, make_array: Any, order: int, groups: int
) -> None:
    """Channels last, a group of channels is a part of each pixel; order 3 has such a memory."""
    from tinyconv.kernels.cpu import norm as fast

    images = make_array((3, 40, 9, 30), order) + np.linspace(-50, 100, 40, dtype=np.float32)[:, None, None]
    if order == 3:
        images = np.ascontiguousarray(images.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)
    x = images.reshape(3, groups, -1, 9, 30)
    axes = (2, 3, 4)
    right = reference.normalize(x.astype(np.float64), axes, 1e-5)
    for got, value in zip(fast.normalize(x, axes, 1e-5), right, strict=True):
        assert _relative(got, value) < 1e-5
    _check_backward(fast, make_array(x.shape, order, 1), x, axes)


@pytest.mark.parametrize("axes", AXES)
@pytest.mark.parametrize("order", range(4))
def test_fast_normalize_backward_is_that_of_the_float64_reference(
    any_size: None, make_array: Any, order: int, axes: tuple[int, ...]
) -> None:
    from tinyconv.kernels.cpu import norm as fast

    x = make_array((6, 40, 9, 30), order)
    _check_backward(fast, make_array(x.shape, order + 1, 1), x, axes)


def _check_backward(fast: Any, grad: np.ndarray, x: np.ndarray, axes: tuple[int, ...]) -> None:
    """With gradients of mean and variance that matter beside that of y."""
    y, mean, var = fast.normalize(x, axes, 1e-3)
    rng = np.random.default_rng(2)
    count = x.size // mean.size
    of_mean, of_var = (count * rng.normal(size=mean.shape).astype(np.float32) for _ in range(2))
    arrays = grad, of_mean, of_var, y, var
    expected = reference.normalize_backward(*(a.astype(np.float64) for a in arrays), axes, 1e-3)
    assert _relative(fast.normalize_backward(*arrays, axes, 1e-3), expected) < 1e-5


def test_normalize_backward_is_pytorchs() -> None:
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    x, grad = rng.normal(5, 3, (2, 3, 4, 5, 6))
    tensor = torch.from_numpy(x).requires_grad_()
    mean, var = tensor.mean((1, 3), keepdim=True), tensor.var((1, 3), keepdim=True, correction=0)
    of_mean, of_var = rng.normal(size=(2, *mean.shape))
    results = ((tensor - mean) / (var + 1e-3).sqrt(), mean, var)
    torch.autograd.backward(results, [torch.from_numpy(g) for g in (grad, of_mean, of_var)])
    y, _, found = reference.normalize(x, (1, 3), 1e-3)
    got = reference.normalize_backward(grad, of_mean, of_var, y, found, (1, 3), 1e-3)
    np.testing.assert_allclose(got, tensor.grad.numpy(), rtol=1e-11, atol=1e-12)


def test_batch_norm_backward_is_that_of_pytorch() -> None:
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    x, grad = rng.normal(5, 3, (2, 4, 3, 5, 6))
    weight, bias = rng.normal(size=(2, 3))
    inputs = [torch.from_numpy(a).requires_grad_() for a in (x, weight, bias)]
    y = torch.nn.functional.batch_norm(inputs[0], None, None, *inputs[1:], training=True, eps=1e-3)
    y.backward(torch.from_numpy(grad))
    got, mean, var = reference.batch_norm(x, weight, bias, 1e-3)
    np.testing.assert_allclose(got, y.detach().numpy(), rtol=1e-12, atol=1e-12)
    gradients = reference.batch_norm_backward(grad, x, weight, mean, var, 1e-3)
    for value, tensor in zip(gradients, inputs, strict=True):
        np.testing.assert_allclose(value, tensor.grad.numpy(), rtol=1e-10, atol=1e-12)


def test_fast_statistics_are_those_of_float64_far_from_zero(any_size: None) -> None:
    from tinyconv.kernels.cpu import norm as fast

    x = np.random.default_rng(0).normal(1e4, 1, (4, 8, 100, 100)).astype("float32")
    _, mean, var = fast.batch_norm(x, None, None, 1e-5)
    wide = x.astype("float64")
    np.testing.assert_allclose(mean, wide.mean((0, 2, 3)), rtol=1e-7)
    np.testing.assert_allclose(var, wide.var((0, 2, 3)), rtol=1e-5)
