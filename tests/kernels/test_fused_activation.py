"""Activation functions in one pass: PyTorch's values, derivatives by differences, and the fast twins."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinyconv.device import num_threads
from tinyconv.kernels import activation, find_kernel, fused_activation
from tinyconv.kernels.reference import activation as plain
from tinyconv.kernels.reference import fused_activation as reference

pytestmark = pytest.mark.usefixtures("any_size")

PARAMETERS: dict[str, tuple[float, ...]] = {
    **dict.fromkeys(("silu", "gelu", "gelu_tanh", "mish", "logsigmoid", "hardsigmoid", "hardswish"), ()),
    **dict.fromkeys(("softsign", "tanhshrink"), ()),
    **{"hardshrink": (0.7,), "softshrink": (0.7,), "hardtanh": (-1.5, 0.5), "softplus": (2.0, 3.0)},
    **{"normal_cdf": (), "scaled_elu": (1.6, 1.05, 0.8)},
}
THEIRS = {
    "gelu_tanh": ("gelu", {"approximate": "tanh"}),
    "hardshrink": ("hardshrink", {"lambd": 0.7}),
    "softshrink": ("softshrink", {"lambd": 0.7}),
    "hardtanh": ("hardtanh", {"min_val": -1.5, "max_val": 0.5}),
    "softplus": ("softplus", {"beta": 2.0, "threshold": 3.0}),
}
OF_BOTH = {"hardshrink": "shrink", "softshrink": "shrink"}
WITH_GRADIENT = [name for name in PARAMETERS if name != "normal_cdf"]
names = st.sampled_from(sorted(PARAMETERS))
shapes = st.lists(st.integers(0, 5), min_size=0, max_size=4).map(tuple)


def kernel(backend: str, name: str) -> Any:
    file = "activation" if hasattr(plain, name) and not hasattr(reference, name) else "fused_activation"
    file = "activation" if name in ("softplus", "normal_cdf") else file
    return find_kernel(backend, file, name)


def gradient(backend: str, name: str) -> Any:
    return kernel(backend, OF_BOTH.get(name, name) + "_backward")


@pytest.mark.parametrize("name", WITH_GRADIENT)
def test_derivatives_against_differences(name: str) -> None:
    x = np.linspace(-6.03, 6.07, 98)
    numbers, step = PARAMETERS[name], 1e-6
    forward = kernel("reference", name)
    expected = (forward(x + step, *numbers) - forward(x - step, *numbers)) / (2 * step)
    computed = gradient("reference", name)(np.full_like(x, 2.0), x, *numbers)
    # Beyond its threshold softplus is x, a step away from the logarithm.
    np.testing.assert_allclose(computed, 2 * expected, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("name", [name for name in WITH_GRADIENT if name != "scaled_elu"])
def test_pytorch_agrees_at_the_kinks_too(name: str) -> None:
    torch = pytest.importorskip("torch")
    theirs, options = THEIRS.get(name, (name, {}))
    kinks = [-3, 3, 0.7, -0.7, -1.5, 0.5, 1.5, 0]
    x = np.array([*kinks, *np.linspace(-8, 8, 41)])
    grad = np.linspace(1, 2, x.size)
    x_torch = torch.tensor(x, requires_grad=True)
    y = getattr(torch.nn.functional, theirs)(x_torch, **options)
    y.backward(torch.tensor(grad))
    ours = kernel("reference", name)(x, *PARAMETERS[name])
    np.testing.assert_allclose(ours, y.detach().numpy(), rtol=1e-12, atol=1e-14)
    computed = gradient("reference", name)(grad, x, *PARAMETERS[name])
    rtol = 1e-7 if name == "hardsigmoid" else 1e-11  # PyTorch has 1 / 6 in float32
    np.testing.assert_allclose(computed, x_torch.grad.numpy(), rtol=rtol, atol=1e-13)


@pytest.mark.parametrize("name", sorted(PARAMETERS))
def test_fast_is_the_float64_reference(name: str) -> None:
    rng = np.random.default_rng(0)
    x = np.concatenate([rng.normal(scale=s, size=30_000) for s in (0.01, 1, 5)]).astype(np.float32)
    wide, numbers = x.astype(np.float64), PARAMETERS[name]
    right = kernel("reference", name)(wide, *numbers)
    np.testing.assert_allclose(kernel("cpu", name)(x, *numbers), right, rtol=3e-6, atol=3e-7)
    if name in WITH_GRADIENT:
        grad = rng.normal(size=x.size).astype(np.float32)
        right = gradient("reference", name)(grad.astype(np.float64), wide, *numbers)
        np.testing.assert_allclose(gradient("cpu", name)(grad, x, *numbers), right, rtol=3e-6, atol=3e-6)


@settings(deadline=None, max_examples=80)
@given(name=names, shape=shapes, order=st.integers(0, 47), other=st.integers(0, 47), seed=st.integers(0, 99))
def test_any_memory_order_and_special_numbers(make_array, name, shape, order, other, seed) -> None:
    x, numbers = make_array(shape, order, seed, special=True), PARAMETERS[name]
    # Powers of numbers like 1e30 leave float32's range here or there: those are for the limits below.
    x = np.where(np.abs(x) == np.float32(1e30), np.float32(7), x)
    y = kernel("cpu", name)(x, *numbers)
    assert y.dtype == np.float32 and y.shape == x.shape
    np.testing.assert_allclose(y, kernel("reference", name)(x, *numbers), rtol=3e-6, atol=1e-6)
    if name in WITH_GRADIENT:
        grad = make_array(shape, other, seed + 1)
        computed = gradient("cpu", name)(grad, x, *numbers)
        right = gradient("reference", name)(grad, x, *numbers)
        np.testing.assert_allclose(computed, right, rtol=3e-6, atol=1e-5)


LIMITS = {
    **{"silu": (0, 1e30), "gelu": (0, 1e30), "mish": (0, 1e30), "logsigmoid": (-1e30, 0)},
    **{"hardsigmoid": (0, 1), "hardswish": (0, 1e30), "hardshrink": (-1e30, 1e30), "softsign": (-1, 1)},
    **{"softshrink": (-1e30, 1e30), "hardtanh": (-1.5, 0.5), "softplus": (0, 1e30)},
    **{"tanhshrink": (-1e30, 1e30), "normal_cdf": (0, 1), "scaled_elu": (-1.68, 1.05e30)},
}


@pytest.mark.parametrize("backend", ["reference", "cpu"])
@pytest.mark.parametrize("name", LIMITS)
def test_large_inputs_saturate_silently(name: str, backend: str) -> None:
    x = np.array([-1e30, 1e30] * 16, np.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        y = kernel(backend, name)(x, *PARAMETERS[name])
    np.testing.assert_allclose(y[:2], LIMITS[name], rtol=1e-6, atol=1e-6)


def test_the_number_of_threads_changes_no_bit() -> None:
    x = np.random.default_rng(0).normal(size=300_001).astype(np.float32)
    for name, numbers in PARAMETERS.items():
        with num_threads(1):
            one = kernel("cpu", name)(x, *numbers)
        with num_threads(2):
            np.testing.assert_array_equal(kernel("cpu", name)(x, *numbers), one)


def test_all_of_the_file_is_tested() -> None:
    tested = {*PARAMETERS, *(OF_BOTH.get(name, name) + "_backward" for name in WITH_GRADIENT)}
    public = {name for name in vars(reference) if getattr(reference, name, None) in _functions()}
    assert public <= tested
    assert callable(fused_activation.silu) and callable(activation.scaled_elu)


def _functions() -> list[Any]:
    return [f for f in vars(reference).values() if getattr(f, "__module__", "") == reference.__name__]
