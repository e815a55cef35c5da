"""Softmax and log-softmax: SciPy's results, large scores, and the fast twins."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special

from tinyconv import device
from tinyconv.kernels import find_kernel

pytestmark = pytest.mark.usefixtures("any_size")

THEIRS = {"softmax": special.softmax, "log_softmax": special.log_softmax}
BACKENDS = ["reference", "cpu"]


@settings(deadline=None, max_examples=100)
@given(
    name=st.sampled_from(sorted(THEIRS)), order=st.integers(0, 47), data=st.data(),
    shape=st.lists(st.sampled_from([0, 1, 2, 5, 33]), min_size=1, max_size=4).map(tuple),
)  # fmt: skip
def test_is_scipys(make_array, name, order, data, shape):
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    x = make_array(shape, order)
    expected = x if x.size == 0 else THEIRS[name](x.astype(np.float64), axis=axis)
    for backend in BACKENDS:
        y = find_kernel(backend, "softmax", name)(x, axis)
        assert y.dtype == np.float32 and y.shape == x.shape
        np.testing.assert_allclose(y, expected, rtol=4e-6, atol=4e-6 if name == "log_softmax" else 1e-37)


@pytest.mark.parametrize("backend", BACKENDS)
def test_large_scores(backend):
    x = np.array([[1e38, 1e38, 0], [-1e38, -1e38, -1e38], [1000, 0, -np.inf]], dtype=np.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        y = find_kernel(backend, "softmax", "softmax")(x, 1)
        logs = find_kernel(backend, "softmax", "log_softmax")(x, 1)
    np.testing.assert_allclose(y, [[0.5, 0.5, 0], [1 / 3, 1 / 3, 1 / 3], [1, 0, 0]], rtol=1e-6)
    np.testing.assert_allclose(logs[2], [0, -1000, -np.inf], rtol=1e-6)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", THEIRS)
def test_nan_and_inf_are_pytorchs(backend, name):
    torch = pytest.importorskip("torch")
    rows = [[1, np.nan, 2], [np.inf, 0, 1], [-np.inf] * 3, [np.inf, np.inf, 0], [-np.inf, 0, 1]]
    x = np.array(rows, dtype=np.float32)
    x[0, 1] = np.copysign(np.nan, -1)
    y = find_kernel(backend, "softmax", name)(x, 1)
    np.testing.assert_allclose(y, getattr(torch, name)(torch.tensor(x), 1).numpy(), rtol=1e-6)


def test_channels_of_channels_last_memory():
    x = np.random.default_rng(0).normal(size=(2, 5, 6, 7)).astype(np.float32).transpose(0, 3, 1, 2)
    y = find_kernel("cpu", "softmax", "softmax")(x, 1)
    assert y.strides == x.strides
    np.testing.assert_allclose(y.sum(axis=1), 1, rtol=1e-6)


@settings(deadline=None, max_examples=60)
@given(
    rows=st.sampled_from([0, 1, 3, 70, 2100]), classes=st.sampled_from([1, 2, 10, 37]),
    order=st.integers(0, 3), ignored=st.sampled_from([-100, 0]),
    dtype=st.sampled_from([np.float32, np.float64]),
    reduction=st.sampled_from(["none", "sum", "mean"]), label_dtype=st.sampled_from([np.int64, np.int32]),
)  # fmt: skip
def test_softmax_nll_is_that_of_float64(
    make_array, rows, classes, order, ignored, dtype, reduction, label_dtype
):
    x = make_array((rows, classes), order, dtype=dtype)
    grad = make_array((rows,), 1, 1, dtype=dtype) if reduction == "none" else np.array(0.7, dtype)
    labels = np.random.default_rng(0).integers(0, classes, rows).astype(label_dtype)
    labels[1::3] = ignored
    counted, here = labels != ignored, np.arange(rows)
    log_p = special.log_softmax(x.astype(np.float64), axis=1)
    onehot = np.zeros_like(log_p)
    onehot[here[counted], labels[counted]] = 1
    each = np.where(counted, -(log_p * onehot).sum(1), 0)
    share = max(counted.sum(), 1) if reduction == "mean" else 1
    gradient = (grad / share * counted)[:, None] * (np.exp(log_p) - onehot)
    mean = each.sum() / counted.sum() if counted.any() else np.nan
    expected = {"none": each, "sum": each.sum(), "mean": mean}[reduction]
    shape = labels.reshape(1, rows, 1)
    for backend in BACKENDS:
        losses = find_kernel(backend, "softmax", "softmax_nll")(x, shape, ignored, reduction)
        found = find_kernel(backend, "softmax", "softmax_nll_backward")(grad, x, shape, ignored, reduction)
        assert isinstance(losses, np.ndarray) and losses.dtype == found.dtype == dtype
        np.testing.assert_allclose(losses, expected, rtol=4e-6, atol=4e-6)
        np.testing.assert_allclose(found, gradient, rtol=4e-6, atol=4e-6)


@pytest.mark.parametrize("backend", BACKENDS)
def test_softmax_nll_of_large_scores(backend):
    x = np.array([[1000, 0, -np.inf], [-1000, -1001, -2000]], dtype=np.float32)
    losses = find_kernel(backend, "softmax", "softmax_nll")(x, np.array([1, 0]), -100, "none")
    np.testing.assert_allclose(losses, [1000, np.log1p(np.exp(-1))], rtol=1e-6)


def test_threads_do_not_change_softmax_nll(make_array):
    x, grad, labels = make_array((3000, 11)), make_array((3000,)), np.arange(3000) % 11
    found = []
    for threads in {1, device.available_threads()}:
        with device.num_threads(threads):
            losses, *others = (
                find_kernel("cpu", "softmax", "softmax_nll")(x, labels, 5, how)
                for how in ("none", "sum", "mean")
            )
            back = find_kernel("cpu", "softmax", "softmax_nll_backward")(grad, x, labels, 5, "none")
            found.append((np.append(losses, others), back))
    for pair in found:
        np.testing.assert_array_equal(pair[0], found[0][0])
        np.testing.assert_array_equal(pair[1], found[0][1])


@pytest.mark.parametrize("axis", [0, 1, -1])
@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
def test_fast_gradients_are_those_of_the_float64_reference(make_array, any_size, name, axis):
    for order in range(6):
        y = find_kernel("reference", "softmax", name)(make_array((7, 19, 5), order), axis)
        grad = make_array((7, 19, 5), order + 1, seed=1)
        wide = grad.astype(np.float64), y.astype(np.float64), axis
        right = find_kernel("reference", "softmax", f"{name}_backward")(*wide)
        computed = find_kernel("cpu", "softmax", f"{name}_backward")(grad, y, axis)
        assert computed.dtype == np.float32
        np.testing.assert_allclose(computed, right, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
def test_gradients_are_pytorchs(name):
    torch = pytest.importorskip("torch")
    x, grad = np.random.default_rng(0).normal(size=(2, 3, 5, 4))
    tensor = torch.from_numpy(x).requires_grad_()
    y = getattr(torch, name)(tensor, 1)
    y.backward(torch.from_numpy(grad))
    computed = find_kernel("reference", "softmax", f"{name}_backward")(grad, y.detach().numpy(), 1)
    np.testing.assert_allclose(computed, tensor.grad.numpy(), rtol=1e-12, atol=1e-14)
