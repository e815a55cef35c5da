"""The table of ops on a GPU; without one a part of it on the emulator.

    TINYCONV_TEST_DEVICE=cuda python -m pytest tests/ops/test_table_on_cuda.py

tries all of it there too.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.backends import WHOLE_TABLE_ON_CUDA
from tests.ops.comparison import check_first_derivative, check_second_derivative, compare_with_reference
from tests.ops.table import OPS, Op

A_PART = (
    *("add", "mul", "sum", "relu", "elu", "sigmoid", "cat", "index", "matmul", "linear", "conv2d"),
    *("conv_transpose2d", "max_pool2d", "avg_pool2d", "batch_norm", "cross_entropy", "interpolate", "pad"),
)
SHOWN = [op for op in OPS if WHOLE_TABLE_ON_CUDA or op.name in A_PART]
DERIVED = [op for op in OPS if WHOLE_TABLE_ON_CUDA or op.name in ("conv2d", "linear", "max_pool2d")]


def on_cuda(ops: list[Op], examples: int) -> Any:
    """A test of these ops; a few examples of each on the emulator."""

    def mark(test: Any) -> Any:
        many = settings(max_examples=examples if WHOLE_TABLE_ON_CUDA else 2, deadline=None)
        return pytest.mark.parametrize("op", ops, ids=lambda op: op.name)(many(given(data=st.data())(test)))

    return mark


def test_the_part_is_one_of_the_table() -> None:
    assert {op.name for op in SHOWN} >= set(A_PART)


@on_cuda(SHOWN, examples=15)
def test_values_and_gradients_are_those_of_the_float64_reference(op: Op, data: Any) -> None:
    compare_with_reference(op, data.draw(op.cases), "cuda")


@on_cuda(DERIVED, examples=12)
def test_first_derivative(op: Op, data: Any) -> None:
    check_first_derivative(op, data.draw(op.cases), "cuda")


@on_cuda(DERIVED, examples=8)
def test_second_derivative(op: Op, data: Any) -> None:
    check_second_derivative(op, data.draw(op.cases), "cuda")
