"""Activation functions: formulas, derivatives, limits, and the fast twins."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinyconv.kernels import find_kernel
from tinyconv.kernels.reference import activation as reference

pytestmark = pytest.mark.usefixtures("any_size")

PARAMETERS = {"relu": (), "leaky_relu": (0.1,), "elu": (1.3,), "sigmoid": (), "tanh": ()}
NEEDS_INPUT = ("leaky_relu",)
EXACT = ("relu", "leaky_relu")
shapes = st.lists(st.integers(0, 5), min_size=0, max_size=4).map(tuple)
names = st.sampled_from(sorted(PARAMETERS))


def test_formulas_by_hand():
    x = np.array([-2.0, -0.5, 0.0, 3.0])
    np.testing.assert_array_equal(reference.relu(x), [0, 0, 0, 3])
    np.testing.assert_allclose(reference.leaky_relu(x, 0.1), [-0.2, -0.05, 0, 3])
    np.testing.assert_allclose(reference.elu(x, 2.0), [2 * (np.exp(-2) - 1), 2 * (np.exp(-0.5) - 1), 0, 3])
    np.testing.assert_allclose(reference.sigmoid(x), 1 / (1 + np.exp(-x)), rtol=1e-15)
    np.testing.assert_allclose(reference.tanh(x), (np.exp(2 * x) - 1) / (np.exp(2 * x) + 1), rtol=1e-15)


@pytest.mark.parametrize("name", PARAMETERS)
def test_derivatives_against_differences(name):
    x = np.linspace(-4, 4, 42)  # 0 is not among them
    step, parameters = 1e-6, PARAMETERS[name]
    forward = getattr(reference, name)
    expected = (forward(x + step, *parameters) - forward(x - step, *parameters)) / (2 * step)
    at = x if name in NEEDS_INPUT else forward(x, *parameters)
    computed = getattr(reference, name + "_backward")(np.full_like(x, 2.0), at, *parameters)
    np.testing.assert_allclose(computed, 2 * expected, rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize("name", PARAMETERS)
def test_pytorch_agrees_also_on_nan_and_inf(name, make_array):
    torch = pytest.importorskip("torch")
    functional = torch.nn.functional
    theirs = getattr(functional if name in ("leaky_relu", "elu") else torch, name)
    x = make_array((200,), special=True)
    grad = make_array((200,), seed=1)
    y = getattr(reference, name)(x, *PARAMETERS[name])
    x_torch = torch.tensor(x, requires_grad=True)
    y_torch = theirs(x_torch, *PARAMETERS[name])
    np.testing.assert_allclose(y, y_torch.detach().numpy(), rtol=1e-6)
    y_torch.backward(torch.tensor(grad))
    at = x if name in NEEDS_INPUT else y
    computed = getattr(reference, name + "_backward")(grad, at, *PARAMETERS[name])
    np.testing.assert_allclose(computed, x_torch.grad.numpy(), rtol=2e-5, atol=2e-6)


@pytest.mark.parametrize("backend", ["reference", "cpu"])
@pytest.mark.parametrize("name", PARAMETERS)
def test_large_inputs_saturate_silently(name, backend):
    x = np.array([-1e38, -1000, 1000, 1e38, -np.inf, np.inf], dtype=np.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        y = find_kernel(backend, "activation", name)(x, *PARAMETERS[name])
    limits = {"sigmoid": [0, 0, 1, 1, 0, 1], "tanh": [-1, -1, 1, 1, -1, 1]}
    limits["elu"] = [-1.3, -1.3, 1000, 1e38, -1.3, np.inf]
    limits["relu"] = [0, 0, 1000, 1e38, 0, np.inf]
    limits["leaky_relu"] = [-1e37, -100, 1000, 1e38, -np.inf, np.inf]
    np.testing.assert_allclose(y, limits[name], rtol=1e-6)


@settings(deadline=None, max_examples=60)
@given(name=names, shape=shapes, order=st.integers(0, 47), seed=st.integers(0, 99))
def test_fast_forward_is_the_reference(make_array, name, shape, order, seed):
    x = make_array(shape, order, seed, special=True)
    y = find_kernel("cpu", "activation", name)(x, *PARAMETERS[name])
    expected = getattr(reference, name)(x, *PARAMETERS[name])
    assert y.dtype == np.float32 and y.shape == x.shape
    np.testing.assert_allclose(y, expected, rtol=0 if name in EXACT else 6e-7, atol=1e-37)


@settings(deadline=None, max_examples=60)
@given(name=names, shape=shapes, order=st.integers(0, 47), other=st.integers(0, 47), seed=st.integers(0, 99))
def test_fast_backward_is_the_reference(make_array, name, shape, order, other, seed):
    grad = make_array(shape, order, seed, special=True)
    at = make_array(shape, other, seed + 1, special=True)
    if "relu" not in name:  # next to a gradient of 1e30 no absolute tolerance means anything
        grad = np.where(np.abs(grad) == np.float32(1e30), np.float32(7), grad)
    name += "_backward"
    parameters = PARAMETERS[name.removesuffix("_backward")]
    computed = find_kernel("cpu", "activation", name)(grad, at, *parameters)
    expected = getattr(reference, name)(grad, at, *parameters)
    # Where 1 - y cancels, a fused multiply-add rounds once and the reference twice.
    np.testing.assert_allclose(computed, expected, rtol=0 if "relu" in name else 1e-6, atol=1e-5)


@pytest.mark.parametrize("name", PARAMETERS)
def test_result_keeps_channels_last_memory(name):
    x = np.zeros((2, 4, 5, 3), dtype=np.float32).transpose(0, 3, 1, 2)
    y = find_kernel("cpu", "activation", name)(x, *PARAMETERS[name])
    assert y.strides == x.strides
    grad = np.ones(x.shape, dtype=np.float32)
    result = find_kernel("cpu", "activation", name + "_backward")(grad, x, *PARAMETERS[name])
    assert result.strides == x.strides
    assert grad.flags.c_contiguous and (grad == 1).all()


def test_float64_is_computed_in_float64():
    x = np.linspace(-3, 3, 50)
    y = find_kernel("cpu", "activation", "sigmoid")(x)
    assert y.dtype == np.float64
    np.testing.assert_allclose(y, 1 / (1 + np.exp(-x)), rtol=1e-15)
