"""Whatever an op does, capturing a call of it is right or refused, never wrong."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinyconv as tc
import tinyconv.nn.functional as F
from tests.gpu import tensor
from tests.ops.cases import Case
from tests.ops.table import OPS, Op


def outcome(function: Any, case: Case, inside: bool) -> list[Any]:
    """The outputs of one call and the gradients of their sum, or the error."""
    inputs, constants = case.arrays(np.float32)
    tensors = [tensor(x, requires_grad=True) for x in inputs]
    tc.manual_seed(case.seed % 1000)
    try:
        outputs, grads = function(*tensors, *map(tc.Tensor, constants))
        if not inside:
            floats = [y for y in outputs if y.requires_grad]
            starts = [tensor(np.cos(np.arange(y.numel(), dtype=np.float32)).reshape(y.shape)) for y in floats]
            grads = tc.autograd.grad(floats, tensors, starts, allow_unused=True) if floats else ()
    except tc.errors.TinyconvError as error:
        return [str(error)]
    arrays = [None if t is None else t.detach().numpy() for t in (*outputs, *grads)]
    return [*arrays, tc.rand(1).item()]


@pytest.mark.parametrize("op", OPS, ids=lambda op: op.name)
@settings(max_examples=2)
@given(data=st.data(), inside=st.booleans())
def test_a_captured_op(op: Op, data: Any, inside: bool) -> None:
    case = data.draw(op.cases)
    function, options, count = op.call, case.options, len(case.inputs)

    def call(*tensors: tc.Tensor) -> Any:
        outputs = function(*tensors, **options)
        outputs = tuple(outputs) if isinstance(outputs, tuple) else (outputs,)
        floats = [y for y in outputs if y.requires_grad]
        if not inside or not floats:
            return outputs, ()
        total = sum([y.sum() for y in floats])
        return outputs, tc.autograd.grad(total, tensors[:count], allow_unused=True)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        compiled = tc.compile(call)
        # The same numbers twice, so that what was wrongly taken for constant looks like it.
        for seed in (0, 0, 1, 2):
            this = replace(case, seed=case.seed + seed)
            expected, got = outcome(call, this, inside), outcome(compiled, this, inside)
            assert len(got) == len(expected)
            for one, two in zip(got, expected, strict=True):
                np.testing.assert_array_equal(one, two, strict=isinstance(two, np.ndarray))


def test_most_ops_are_captured() -> None:
    x = tc.tensor([[0.5, -1.0], [2.0, 3.0]])
    for op in (tc.relu, tc.exp, tc.sigmoid, tc.tanh, tc.abs, tc.sqrt, tc.sum, tc.mean, tc.flatten):
        compiled = tc.compile(op)
        for _ in range(3):
            compiled(x)
        assert compiled.captured(), op


ACTIVATIONS = (
    "relu", "leaky_relu", "relu6", "hardtanh", "elu", "selu", "celu", "sigmoid", "tanh", "softplus",
    "logsigmoid", "gelu", "silu", "mish", "hardswish", "hardsigmoid", "hardshrink", "softshrink",
    "softsign", "tanhshrink",
)  # fmt: skip


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_every_activation_is_captured(name: str) -> None:
    x = tc.randn(40, 30).requires_grad_()

    def step() -> tuple[tc.Tensor, ...]:
        y = getattr(F, name)(x)
        return y.detach(), *tc.autograd.grad((y * y).sum(), x)

    expected = step()
    compiled = tc.compile(step, fullgraph=True)
    for _ in range(4):
        for one, two in zip(compiled(), expected, strict=True):
            np.testing.assert_array_equal(one.numpy(), two.numpy())
    assert compiled.captured()
