"""Every op of the table: values, first and second derivatives, dtypes, on every kernel backend."""

from __future__ import annotations

from types import FunctionType
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinyconv as tc
from tests.backends import BACKENDS, kernels
from tests.ops.cases import Case
from tests.ops.table import NOT_DIFFERENTIABLE, OPS, Op
from tinyconv.ops import methods

Array = Any

every_op = pytest.mark.parametrize("op", OPS, ids=lambda op: op.name)
every_backend = pytest.mark.parametrize("backend", BACKENDS)


class Result:
    """What a call gave: outputs, and the gradients of a random weighted sum of the float ones."""

    def __init__(self, op: Op, case: Case, dtype: Any) -> None:
        inputs, constants = case.arrays(dtype)
        before = [x.copy() for x in (*inputs, *constants)]
        self.inputs = [tc.Tensor(x, requires_grad=True) for x in inputs]
        outputs = op.call(*self.inputs, *map(tc.Tensor, constants), **case.options)
        outputs = outputs if isinstance(outputs, tuple) else (outputs,)
        self.outputs = [y.array for y in outputs]
        rng = np.random.default_rng(case.seed + 100)
        floats = [y for y in outputs if y.dtype.kind == "f"]
        self.weights = [np.asarray(rng.uniform(0.5, 1.5, y.shape)) for y in floats]
        starts = [tc.Tensor(w.astype(y.dtype)) for y, w in zip(floats, self.weights, strict=True)]
        self.gradients = [g.array for g in tc.autograd.grad(floats, self.inputs, starts)]
        for x, copy in zip((*inputs, *constants), before, strict=True):
            np.testing.assert_array_equal(x, copy, "an input was modified")


def close(got: Array, expected: Array, error: float) -> None:
    """Equal but for rounding, measured against the largest number."""
    assert isinstance(got, np.ndarray)
    assert got.shape == expected.shape
    largest = np.abs(expected).max() if expected.size and expected.dtype.kind == "f" else 1
    np.testing.assert_allclose(got, expected, rtol=0, atol=error * max(float(largest), 1))


@every_backend
@every_op
@settings(max_examples=15)
@given(data=st.data())
def test_values_and_gradients_are_those_of_the_float64_reference(op: Op, backend: str, data: Any) -> None:
    case = data.draw(op.cases)
    with kernels("reference"):
        expected = Result(op, case, np.float64)
    precisions = [(np.float32, 1e-5)] + [(np.float64, 1e-12)] * (backend != "reference")
    for dtype, error in precisions:
        with kernels(backend):
            result = Result(op, case, dtype)
        for got, value in zip(result.outputs, expected.outputs, strict=True):
            if value.dtype.kind == "f" and op.name != "astype":
                assert got.dtype == dtype
            close(got, value, error)
        for got, value in zip(result.gradients, expected.gradients, strict=True):
            assert got.dtype == dtype
            close(got, value, error)


@every_op
@settings(max_examples=15)
@given(data=st.data())
def test_values_and_gradients_are_those_of_pytorch(op: Op, data: Any) -> None:
    torch = pytest.importorskip("torch")
    if op.twin is None:
        pytest.skip("PyTorch draws other random numbers")
    case = data.draw(op.cases)
    result = Result(op, case, np.float64)
    inputs, constants = ([torch.from_numpy(x.copy()) for x in part] for part in case.arrays(np.float64))
    for x in inputs:
        x.requires_grad_()
    outputs = op.twin(torch, *inputs, *constants, **case.options)
    outputs = outputs if isinstance(outputs, tuple) else (outputs,)
    for got, value in zip(result.outputs, outputs, strict=True):
        close(got, value.detach().numpy(), 1e-11)
    floats = [y for y in outputs if y.is_floating_point()]
    sum((y * torch.from_numpy(w)).sum() for y, w in zip(floats, result.weights, strict=True)).backward()
    for got, x in zip(result.gradients, inputs, strict=True):
        close(got, x.grad.numpy(), 1e-10)


def _tensors(case: Case) -> tuple[list[tc.Tensor], list[tc.Tensor]]:
    inputs, constants = case.arrays(np.float64)
    return [tc.Tensor(x, requires_grad=True) for x in inputs], [tc.Tensor(x) for x in constants]


@every_backend
@every_op
@settings(max_examples=12)
@given(data=st.data())
def test_first_derivative(op: Op, backend: str, data: Any) -> None:
    case = data.draw(op.cases)
    inputs, constants = _tensors(case)
    with kernels(backend, threads=1):
        tc.gradcheck(lambda *xs: op.call(*xs, *constants, **case.options), inputs, max_elements=24)


@every_backend
@every_op
@settings(max_examples=8)
@given(data=st.data())
def test_second_derivative(op: Op, backend: str, data: Any) -> None:
    """Of the inputs and of the incoming gradient, so that linear ops are tested too."""
    case = data.draw(op.cases)
    inputs, constants = _tensors(case)

    def first(*xs: tc.Tensor) -> Any:
        outputs = op.call(*xs, *constants, **case.options)
        return outputs[0] if isinstance(outputs, tuple) else outputs

    def gradient(start: tc.Tensor, *xs: tc.Tensor) -> Any:
        with tc.enable_grad():
            xs = tuple(x if x.requires_grad else x.detach().requires_grad_() for x in xs)
            return tc.autograd.grad(first(*xs), xs, start, create_graph=True)

    with kernels(backend, threads=1):
        rng = np.random.default_rng(case.seed)
        start = tc.Tensor(np.asarray(rng.standard_normal(first(*inputs).shape)), requires_grad=True)
        tc.gradcheck(gradient, [start, *inputs], max_elements=24)


def test_every_differentiable_function_is_in_the_table() -> None:
    names = {op.name for op in OPS}
    exported = set(tc.ops.__all__) - NOT_DIFFERENTIABLE
    as_methods = {f.__name__ for f in methods.METHODS.values()} - NOT_DIFFERENTIABLE
    as_functional = set(tc.nn.functional.__all__) - NOT_DIFFERENTIABLE
    assert names == exported | as_methods | as_functional | {"index"}
    assert set(tc.ops.__all__) > NOT_DIFFERENTIABLE
    unlisted = {name for name, f in vars(tc.ops).items() if isinstance(f, FunctionType)} - set(tc.ops.__all__)
    assert unlisted == set()
