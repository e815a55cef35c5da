"""A part of the table of ops on a GPU; ``python -m pytest tests/ops --device cuda`` tries all of it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.ops.comparison import check_first_derivative, check_second_derivative, compare_with_reference
from tests.ops.table import OPS, Op

A_PART = (
    *("add", "mul", "sum", "relu", "elu", "sigmoid", "cat", "index", "matmul", "linear", "conv2d"),
    *("conv_transpose2d", "max_pool2d", "avg_pool2d", "batch_norm", "cross_entropy", "interpolate", "pad"),
)
SHOWN = [op for op in OPS if op.name in A_PART]
DERIVED = [op for op in OPS if op.name in ("conv2d", "linear", "max_pool2d")]


def on_cuda(ops: list[Op]) -> Any:
    """A test of these ops; two examples of each, as the emulator is slow."""

    def mark(test: Any) -> Any:
        few = settings(max_examples=2, deadline=None)
        return pytest.mark.parametrize("op", ops, ids=lambda op: op.name)(few(given(data=st.data())(test)))

    return mark


def test_the_part_is_one_of_the_table() -> None:
    assert {op.name for op in SHOWN} >= set(A_PART)


@on_cuda(SHOWN)
def test_values_and_gradients_are_those_of_the_float64_reference(op: Op, data: Any) -> None:
    compare_with_reference(op, data.draw(op.cases), "cuda")


@on_cuda(DERIVED)
def test_first_derivative(op: Op, data: Any) -> None:
    check_first_derivative(op, data.draw(op.cases), "cuda")


@on_cuda(DERIVED)
def test_second_derivative(op: Op, data: Any) -> None:
    check_second_derivative(op, data.draw(op.cases), "cuda")
