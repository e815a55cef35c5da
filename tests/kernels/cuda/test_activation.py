"""The activation functions in CUDA equal the reference."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from tests.kernels.cuda.comparing import assert_is_reference, dtypes, orders, seeds, shapes
from tinyconv.kernels.reference import activation as reference

PARAMETERS: dict[str, tuple[float, ...]] = {
    **dict.fromkeys(("relu", "sigmoid", "tanh"), ()),
    **{"leaky_relu": (0.1,), "elu": (1.3,), "scaled_elu": (1.6, 1.05, 0.8)},
    **{"hardtanh": (-1.5, 0.5), "softplus": (2.0, 3.0)},
}
NEEDS_INPUT = ("leaky_relu", "scaled_elu", "hardtanh", "softplus")


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(shape=shapes, order=orders, seed=seeds, dtype=dtypes)
def test_forward(cuda: Any, make_array: Any, shape: Any, order: int, seed: int, dtype: Any) -> None:
    x = make_array(shape, order, seed, special=True, dtype=dtype)
    for name in [*PARAMETERS, "normal_cdf"]:
        assert_is_reference(cuda, "activation", name, x, *PARAMETERS.get(name, ()), atol=1e-37)


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(
    shape=shapes, order=orders, grad_order=orders, seed=seeds,
    dtype=dtypes,
)  # fmt: skip
def test_backward(
    cuda: Any, make_array: Any, shape: Any, order: int, grad_order: int, seed: int, dtype: Any
) -> None:
    x = make_array(shape, order, seed, special=True, dtype=dtype)
    grad = make_array(shape, grad_order, seed + 1, dtype=dtype)
    for name, numbers in PARAMETERS.items():
        assert_backward(cuda, name, numbers, grad, x)


def assert_backward(cuda: Any, name: str, numbers: Any, grad: np.ndarray, x: np.ndarray) -> None:
    saved = x if name in NEEDS_INPUT else getattr(reference, name)(x, *numbers)
    with np.errstate(all="ignore"):
        assert_is_reference(cuda, "activation", f"{name}_backward", grad, saved, *numbers)


@pytest.mark.parametrize("name", PARAMETERS)
def test_backward_at_the_kinks(cuda: Any, name: str) -> None:
    kinks = np.array([-1.5, -0.0, 0.0, 0.5, 1.5])  # hardtanh's, relu's and its like, and softplus's threshold
    assert_backward(cuda, name, PARAMETERS[name], np.ones_like(kinks), kinks)


def test_threads_take_several_elements_where_there_are_more_elements_than_threads(cuda: Any) -> None:
    """Two multiprocessors are given 8 blocks of 256 threads each."""
    x = np.random.default_rng(0).standard_normal(3 * 2 * 8 * 256 + 5).astype(np.float32)
    assert_is_reference(cuda, "activation", "relu", x)


@pytest.mark.parametrize("order", ["C", "channels_last"])
def test_the_result_has_the_memory_order_of_the_input(cuda: Any, order: str) -> None:
    from tinyconv.kernels import activation

    x = cuda.ones((2, 3, 4, 5), dtype=np.float32)
    if order == "channels_last":
        x = cuda.ascontiguousarray(x.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)
    assert activation.relu(x).strides == x.strides


def test_whole_numbers_go_the_reference_way(cuda: Any) -> None:
    from tinyconv.kernels import activation

    assert activation.relu(cuda.asarray(np.array([-2, 3]))).get().tolist() == [0, 3]
