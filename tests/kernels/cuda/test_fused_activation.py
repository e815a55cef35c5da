"""The activation functions of several steps in CUDA equal the reference."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from tests.kernels.cuda.comparing import TOLERANCE, call, dtypes, is_written_in_cuda, orders, seeds, shapes
from tinyconv.kernels.reference import fused_activation as reference

PARAMETERS: dict[str, tuple[float, ...]] = {
    **dict.fromkeys(("silu", "gelu", "gelu_tanh", "mish", "logsigmoid", "hardsigmoid", "hardswish"), ()),
    **dict.fromkeys(("softsign", "tanhshrink"), ()),
    **{"hardshrink": (0.7,), "softshrink": (0.7,)},
}
OF_BOTH = {"hardshrink": "shrink", "softshrink": "shrink"}


def test_there_is_a_kernel_for_each() -> None:
    for name in PARAMETERS:
        assert is_written_in_cuda("fused_activation", name)
        assert is_written_in_cuda("fused_activation", f"{OF_BOTH.get(name, name)}_backward")


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(
    shape=shapes, order=orders, grad_order=orders, seed=seeds,
    dtype=dtypes,
)  # fmt: skip
def test_forward_and_backward(
    cuda: Any, make_array: Any, shape: Any, order: int, grad_order: int, seed: int, dtype: Any
) -> None:
    x = make_array(shape, order, seed, special=True, dtype=dtype)
    grad = make_array(shape, grad_order, seed + 1, dtype=dtype)
    for name, numbers in PARAMETERS.items():
        assert_near(cuda, name, (), x, numbers)
        assert_near(cuda, f"{OF_BOTH.get(name, name)}_backward", (grad,), x, numbers)


@pytest.mark.parametrize("name", PARAMETERS)
def test_backward_at_the_kinks(cuda: Any, name: str) -> None:
    kinks = np.array([-3, -0.7, -0.0, 0.0, 0.7, 3])
    function = f"{OF_BOTH.get(name, name)}_backward"
    assert_near(cuda, function, (np.ones_like(kinks),), kinks, PARAMETERS[name])


def assert_near(cuda: Any, function: str, args: Any, x: np.ndarray, numbers: Any) -> None:
    moderate = np.where(np.isfinite(x) & (np.abs(x) < 1e9), x, 0)
    # 1 + tanh(u) and 1 - s lose digits near 0: an error is a part of the operands, not of the result.
    largest = float(np.prod([max(1.0, np.abs(a).max(initial=0)) for a in (*args, moderate)]))
    expected = getattr(reference, function)(*args, moderate, *numbers)
    found = call(cuda, "fused_activation", function, *args, moderate, *numbers)
    tolerance = TOLERANCE[str(x.dtype)]
    np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance * largest)
    # Infinities and 1e30 among the numbers: NaN comes out where it does from the reference.
    expected = getattr(reference, function)(*args, x, *numbers)
    found = call(cuda, "fused_activation", function, *args, x, *numbers)
    np.testing.assert_array_equal(np.isnan(found), np.isnan(expected))
