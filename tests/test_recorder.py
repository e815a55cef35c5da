"""Listening to ops: every one in order, with what came in and went out; nothing outside the block."""

from __future__ import annotations

import threading
from typing import Any

import pytest

import tinyconv as tc
import tinyconv.nn.functional as F
from tinyconv.ops.activation import ReLU
from tinyconv.ops.matmul import Linear
from tinyconv.recorder import listening


def test_ops_are_told_in_order_with_inputs_and_outputs() -> None:
    heard: list[tuple[Any, ...]] = []
    x, weight = tc.ones(2, 3), tc.ones(4, 3)
    with listening(lambda *event: heard.append(event)):
        y = F.linear(x, weight)
        z = F.relu(y)
    F.relu(z)
    assert [op for op, _, _ in heard] == [Linear, ReLU]
    assert heard[0][1][0] is x
    assert heard[0][1][1] is weight
    assert heard[0][1][2] is None
    assert heard[0][2] == (y,)
    assert heard[1][1:] == ((y,), (z,))


def test_ops_of_a_backward_are_told_too() -> None:
    names: list[str] = []
    x = tc.ones(2, requires_grad=True)
    y = (x * x).sum()
    with listening(lambda op, inputs, outputs: names.append(op.__name__)):
        y.backward()
    assert names == ["Reshape", "Expand", "Mul", "Mul", "Add"]


def test_a_listener_inside_another_hears_alone_and_an_error_ends_it() -> None:
    outer: list[str] = []
    inner: list[str] = []
    with listening(lambda op, *_: outer.append(op.__name__)):
        with pytest.raises(KeyError), listening(lambda op, *_: inner.append(op.__name__)):
            tc.exp(tc.ones(1))
            raise KeyError
        tc.log(tc.ones(1))
    assert (outer, inner) == (["Log"], ["Exp"])


def test_other_threads_are_not_heard() -> None:
    names: list[str] = []
    with listening(lambda op, *_: names.append(op.__name__)):
        thread = threading.Thread(target=lambda: tc.exp(tc.ones(1)))
        thread.start()
        thread.join()
    assert names == []
