"""Third derivatives: backward is made of ops, and those that only it uses must be right in any order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinyconv as tc
from tests.backends import kernels
from tests.gpu import tensor
from tests.ops.table import OPS, Op

Gradient = Callable[..., list[tc.Tensor]]


def gradient_of(function: Callable[..., list[tc.Tensor]], count: int) -> Gradient:
    """(*starts, *xs) to the gradients of the sum of ``starts[i] * function(*xs)[i]``, for `count` starts."""

    def gradient(*arguments: tc.Tensor) -> list[tc.Tensor]:
        starts, xs = arguments[:count], arguments[count:]
        with tc.enable_grad():
            xs = tuple(x if x.requires_grad else x.detach().requires_grad_() for x in xs)
            pairs = zip(function(*xs), starts, strict=True)
            pairs = [(y, s) for y, s in pairs if y.requires_grad]  # by now some may be constants
            if not pairs:
                return [tc.zeros_like(x) for x in xs]
            outputs, used = zip(*pairs, strict=True)
            found = tc.autograd.grad(outputs, xs, used, create_graph=True, allow_unused=True)
        return [tc.zeros_like(x) if g is None else g for g, x in zip(found, xs, strict=True)]

    return gradient


@pytest.mark.parametrize("op", OPS, ids=lambda op: op.name)
@settings(max_examples=3)
@given(data=st.data())
def test_third_derivative(op: Op, data: Any) -> None:
    """By differences of the second, in one random direction for each argument."""
    case = data.draw(op.cases)
    inputs, constants = case.arrays(np.float64)
    xs = [tensor(x, requires_grad=True) for x in inputs]
    rng = np.random.default_rng(case.seed)

    def function(*xs: tc.Tensor) -> list[tc.Tensor]:
        outputs = op.call(*xs, *map(tensor, constants), **case.options)
        return [outputs[0] if isinstance(outputs, tuple) else outputs]

    def random_like(y: tc.Tensor) -> tc.Tensor:
        return tensor(np.asarray(rng.standard_normal(y.shape)), requires_grad=True)

    with kernels("reference"):
        arguments = [*map(random_like, function(*xs)), *xs]
        second = gradient_of(gradient_of(function, 1), len(xs))
        tc.gradcheck(second, [*map(random_like, xs), *arguments], max_elements=0, directions=1)
