"""Softmax and cross-entropy on the GPU: SciPy in float64, large scores, NaN, ignored labels."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy import special

from tests.gpu import to_gpu
from tests.kernels.cuda.comparing import dtypes, orders
from tinyconv.kernels.cuda import softmax as gpu
from tinyconv.kernels.reference import softmax as reference

CLOSE = {np.float32: {"rtol": 4e-6, "atol": 4e-6}, np.float64: {"rtol": 1e-13, "atol": 1e-13}}


@settings(deadline=None, max_examples=25)
@given(
    order=orders, data=st.data(), dtype=dtypes,
    shape=st.lists(st.sampled_from([0, 1, 2, 5, 33]), min_size=1, max_size=3).map(tuple),
)  # fmt: skip
def test_softmax_is_scipys_and_backward_the_references(cuda, make_array, order, data, shape, dtype):
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    x, grad = make_array(shape, order, dtype=dtype), make_array(shape, order + 1, 1, dtype=dtype)
    for name, theirs in (("softmax", special.softmax), ("log_softmax", special.log_softmax)):
        right = x if x.size == 0 else theirs(x.astype(np.float64), axis=axis)
        y = getattr(gpu, name)(to_gpu(cuda, x), axis)
        assert y.shape == x.shape and y.dtype == dtype
        np.testing.assert_allclose(y.get(), right, **CLOSE[dtype])
        back = getattr(gpu, f"{name}_backward")(to_gpu(cuda, grad), to_gpu(cuda, right.astype(dtype)), axis)
        expected = getattr(reference, f"{name}_backward")(
            grad.astype(np.float64), right.astype(dtype).astype(np.float64), axis
        )
        assert back.dtype == dtype
        np.testing.assert_allclose(back.get(), expected, rtol=2e-5, atol=2e-5 * abs(grad).max(initial=0))


@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
def test_nan_and_inf_are_the_references(cuda, name):
    rows = [[1, np.nan, 2], [np.inf, 0, 1], [-np.inf] * 3, [np.inf, np.inf, 0], [-np.inf, 0, 1], [1e38, 1, 0]]
    x = np.array(rows, np.float32)
    y = getattr(gpu, name)(to_gpu(cuda, x), 1).get()
    np.testing.assert_allclose(y, getattr(reference, name)(x, 1), rtol=1e-6)


def test_channels_of_channels_last_memory(cuda):
    x = np.random.default_rng(0).normal(size=(2, 5, 6, 7)).astype(np.float32).transpose(0, 3, 1, 2)
    y = gpu.softmax(to_gpu(cuda, x), 1)
    assert y.strides == x.strides


@settings(deadline=None, max_examples=30)
@given(
    rows=st.sampled_from([0, 1, 3, 70]), classes=st.sampled_from([1, 2, 10, 37]), order=st.integers(0, 3),
    ignored=st.sampled_from([-100, 0]), reduction=st.sampled_from(["none", "sum", "mean"]),
    dtype=dtypes, label_dtype=st.sampled_from([np.int64, np.int32]),
)  # fmt: skip
@example(9000, 2, 0, 0, "mean", np.float32, np.int64)  # more blocks than are left for the last warp
@example(1, 1, 0, 0, "mean", np.float32, np.int64)  # nothing is counted
def test_softmax_nll_is_that_of_float64(
    cuda, make_array, rows, classes, order, ignored, reduction, dtype, label_dtype
):
    x = make_array((rows, classes), order, dtype=dtype)
    grad = make_array((rows,), 1, 1, dtype=dtype) if reduction == "none" else np.array(0.7, dtype)
    labels = np.random.default_rng(0).integers(0, classes, rows).astype(label_dtype).reshape(1, rows, 1)
    labels[:, 1::3] = ignored
    arguments = (ignored, reduction)
    loss = gpu.softmax_nll(to_gpu(cuda, x), to_gpu(cuda, labels), *arguments)
    right = reference.softmax_nll(x.astype(np.float64), labels, *arguments)
    assert loss.shape == right.shape and loss.dtype == dtype
    np.testing.assert_allclose(loss.get(), right, **CLOSE[dtype])
    back = gpu.softmax_nll_backward(to_gpu(cuda, grad), to_gpu(cuda, x), to_gpu(cuda, labels), *arguments)
    right = reference.softmax_nll_backward(grad.astype(np.float64), x.astype(np.float64), labels, *arguments)
    assert back.dtype == dtype
    np.testing.assert_allclose(back.get(), right, **CLOSE[dtype])


def test_a_label_that_is_no_class_gives_nan(cuda):
    x = np.zeros((3, 4), np.float32)
    losses = gpu.softmax_nll(to_gpu(cuda, x), to_gpu(cuda, np.array([0, 4, -1])), -100, "none").get()
    assert np.isnan(losses).tolist() == [False, True, True]
    arguments = to_gpu(cuda, x), to_gpu(cuda, np.array([0, 4, -1])), -100
    for grad, reduction in ((np.ones(3, np.float32), "none"), (np.ones((), np.float32), "mean")):
        gradients = gpu.softmax_nll_backward(to_gpu(cuda, grad), *arguments, reduction).get()
        assert np.isnan(gradients).tolist() == [[False] * 4, [True] * 4, [True] * 4]
