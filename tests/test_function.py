"""Ops of one's own: `Function`, and what a wrong backward is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tinyconv as tc
from tinyconv.autograd import Function
from tinyconv.errors import GraphError


def leaf(*values: float) -> tc.Tensor:
    return tc.tensor(list(values), dtype="float64", requires_grad=True)


class WrongCount(Function):
    @staticmethod
    def forward(ctx: Any, a: tc.Tensor, b: tc.Tensor) -> Any:
        return a.array + b.array

    @staticmethod
    def backward(ctx: Any, grad: tc.Tensor) -> Any:
        return grad


class WrongShape(Function):
    @staticmethod
    def forward(ctx: Any, x: tc.Tensor) -> Any:
        return x.array.sum()

    @staticmethod
    def backward(ctx: Any, grad: tc.Tensor) -> Any:
        return grad


class NotATensor(Function):
    @staticmethod
    def forward(ctx: Any, x: tc.Tensor) -> Any:
        return x.array * 2

    @staticmethod
    def backward(ctx: Any, grad: tc.Tensor) -> Any:
        return grad.array * 2


def test_a_wrong_backward_names_its_op() -> None:
    with pytest.raises(GraphError, match=r"WrongCount\.backward: the number of gradients is 1, expected 2"):
        WrongCount.apply(leaf(1.0), leaf(2.0)).sum().backward()
    with pytest.raises(GraphError, match=r"WrongShape\.backward: the shape of gradient 0 is \(\).*\(2,\)"):
        WrongShape.apply(leaf(1.0, 2.0)).backward()
    with pytest.raises(GraphError, match=r"NotATensor\.backward: gradient 0 is a ndarray, expected a Tensor"):
        NotATensor.apply(leaf(1.0)).sum().backward()


def test_a_function_with_several_outputs_of_which_one_is_used() -> None:
    class Split(Function):
        @staticmethod
        def forward(ctx: Any, x: tc.Tensor) -> Any:
            return x.array * 2, x.array * 3

        @staticmethod
        def backward(ctx: Any, first: tc.Tensor, second: tc.Tensor) -> Any:
            return first * 2 + second * 3

    x = leaf(1.0, 1.0)
    a, b = Split.apply(x)
    b.sum().backward()
    assert x.grad.tolist() == [3.0, 3.0]
    assert a.grad_fn is b.grad_fn and (a.output_index, b.output_index) == (0, 1)


def test_a_memory_mapped_array_is_on_the_cpu_as_any_other(tmp_path: Path) -> None:
    mapped = np.memmap(tmp_path / "values", "float32", mode="w+", shape=(3,))
    mapped[:] = (1, 2, 3)
    w = tc.ones(3, requires_grad=True)
    (w * tc.from_numpy(mapped)).sum().backward()
    assert w.grad.tolist() == [1.0, 2.0, 3.0]
