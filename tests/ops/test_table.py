"""Every op of the table: values, first and second derivatives, dtypes, on every kernel backend."""

from __future__ import annotations

from types import FunctionType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinyconv as tc
from tests.backends import BACKENDS
from tests.ops.comparison import (
    check_first_derivative,
    check_second_derivative,
    compare_with_pytorch,
    compare_with_reference,
)
from tests.ops.table import NOT_DIFFERENTIABLE, OPS, Op
from tinyconv.ops import methods

every_op = pytest.mark.parametrize("op", OPS, ids=lambda op: op.name)
every_backend = pytest.mark.parametrize("backend", BACKENDS)


@every_backend
@every_op
@settings(max_examples=15)
@given(data=st.data())
def test_values_and_gradients_are_those_of_the_float64_reference(op: Op, backend: str, data: Any) -> None:
    compare_with_reference(op, data.draw(op.cases), backend)


@every_op
@settings(max_examples=60)
@given(data=st.data())
def test_values_and_gradients_are_those_of_pytorch(op: Op, data: Any) -> None:
    torch = pytest.importorskip("torch")
    if op.twin is None:
        pytest.skip("PyTorch draws other random numbers")
    compare_with_pytorch(torch, op, data.draw(op.cases))


@every_backend
@every_op
@settings(max_examples=12)
@given(data=st.data())
def test_first_derivative(op: Op, backend: str, data: Any) -> None:
    check_first_derivative(op, data.draw(op.cases), backend)


@every_backend
@every_op
@settings(max_examples=8)
@given(data=st.data())
def test_second_derivative(op: Op, backend: str, data: Any) -> None:
    check_second_derivative(op, data.draw(op.cases), backend)


def test_every_differentiable_function_is_in_the_table() -> None:
    names = {op.name for op in OPS}
    exported = {getattr(tc.ops, name).__name__ for name in tc.ops.__all__} - NOT_DIFFERENTIABLE
    as_methods = {f.__name__ for f in methods.METHODS.values()} - NOT_DIFFERENTIABLE
    as_functional = set(tc.nn.functional.__all__) - NOT_DIFFERENTIABLE
    assert names == exported | as_methods | as_functional | {"index"}
    assert set(tc.ops.__all__) > NOT_DIFFERENTIABLE
    unlisted = {name for name, f in vars(tc.ops).items() if isinstance(f, FunctionType)} - set(tc.ops.__all__)
    assert unlisted == set()
