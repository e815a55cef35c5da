"""Ops of one's own: `Function`, and what a wrong backward is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tinyconv as tc
from tinyconv.autograd import Function
from tinyconv.errors import DtypeError, GraphError


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


def test_ctx_is_set_up_in_a_method_of_its_own_and_an_output_without_gradient() -> None:
    class Largest(Function):
        @staticmethod
        def forward(x: tc.Tensor, factor: float) -> Any:
            return x * factor, x / x.sum()

        @staticmethod
        def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
            x, ctx.factor = inputs
            ctx.save_for_backward(x)
            ctx.mark_non_differentiable(output[1])

        @staticmethod
        def backward(ctx: Any, grad: tc.Tensor, of_share: tc.Tensor) -> Any:
            assert ctx.saved_tensors[0].tolist() == [1.0, 3.0] and of_share.tolist() == [0.0, 0.0]
            return grad * ctx.factor, None

    x = leaf(1.0, 3.0)
    scaled, share = Largest.apply(x, 5.0)
    assert scaled.requires_grad and not share.requires_grad and share.tolist() == [0.25, 0.75]
    scaled.sum().backward()
    assert x.grad.tolist() == [5.0, 5.0]


def test_none_for_arguments_that_were_left_out_is_no_mistake() -> None:
    class Scaled(Function):
        @staticmethod
        def forward(ctx: Any, x: tc.Tensor, factor: float = 2.0, name: str = "") -> Any:
            ctx.factor = factor
            return x * factor

        @staticmethod
        def backward(ctx: Any, grad: tc.Tensor) -> Any:
            return grad * ctx.factor, None, None

    x = leaf(1.0)
    Scaled.apply(x).backward()
    assert x.grad.tolist() == [2.0]


def test_backward_may_ask_for_none_in_place_of_zeros() -> None:
    met = []

    class Both(Function):
        @staticmethod
        def forward(ctx: Any, x: tc.Tensor) -> Any:
            ctx.set_materialize_grads(False)
            return x * 2, x * 3

        @staticmethod
        def backward(ctx: Any, first: Any, second: Any) -> Any:
            met.append((first, second.tolist()))
            return second * 3

    x = leaf(1.0)
    with tc.autograd.detect_anomaly():
        Both.apply(x)[1].backward()
    assert met == [(None, [1.0])] and x.grad.tolist() == [3.0]


def test_what_forward_may_not_do_is_named() -> None:
    class Words(Function):
        @staticmethod
        def forward(ctx: Any, x: tc.Tensor) -> Any:
            return x * 2, "twice"

    class Dirty(Function):
        @staticmethod
        def forward(ctx: Any, x: tc.Tensor) -> Any:
            ctx.mark_dirty(x)

    with pytest.raises(
        DtypeError, match=r"Words\.forward: an output is twice, expected a Tensor or an array"
    ):
        Words.apply(leaf(1.0))
    with pytest.raises(GraphError, match=r"Dirty\.forward: ctx\.mark_dirty is called, expected a new tensor"):
        Dirty.apply(leaf(1.0))
