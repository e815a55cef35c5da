"""The graph: recording it, walking it back, and what goes wrong on the way."""

from __future__ import annotations

import gc
import sys
import weakref
from typing import Any

import numpy as np
import pytest

import tinyconv as tc
from tests.backends import BACKENDS, kernels
from tinyconv.autograd import Function, topological_order
from tinyconv.errors import GraphError


def leaf(*values: float) -> tc.Tensor:
    return tc.tensor(list(values), dtype="float64", requires_grad=True)


def test_a_chain_of_100000_ops() -> None:
    """Forward, backward, and deleting the graph: none may recurse once per op."""
    x = leaf(1.0)
    y = x
    for _ in range(100_000):
        y = y + 1.0
    assert y.item() == 100_001.0
    y.sum().backward()
    assert x.grad.tolist() == [1.0]
    del y
    gc.collect()


def test_deleting_a_long_chain_that_was_never_walked() -> None:
    y = leaf(1.0)
    for _ in range(100_000):
        y = y * 1.0
    kept = weakref.ref(y)
    del y
    gc.collect()
    assert kept() is None


def test_a_long_chain_of_second_derivatives() -> None:
    x = leaf(1.0)
    y = x
    for _ in range(5_000):
        y = y * 1.0001
    (first,) = tc.autograd.grad((y * y).sum(), x, create_graph=True)
    (second,) = tc.autograd.grad(first.sum(), x)
    assert sys.getrecursionlimit() <= 5_000
    np.testing.assert_allclose(second.item(), 2 * 1.0001**10_000, rtol=1e-9)


def test_a_diamond_adds_up_both_paths() -> None:
    x = leaf(3.0)
    a = x * x
    (a * 2 + a * a).sum().backward()
    assert x.grad.tolist() == [2 * 2 * 3.0 + 4 * 3.0**3]


def test_a_graph_of_many_diamonds_visits_each_node_once() -> None:
    calls = 0

    class Counted(Function):
        @staticmethod
        def forward(ctx: Any, a: tc.Tensor, b: tc.Tensor) -> Any:
            return a.array + b.array

        @staticmethod
        def backward(ctx: Any, grad: tc.Tensor) -> Any:
            nonlocal calls
            calls += 1
            return grad, grad

    x = leaf(1.0)
    y = x
    for _ in range(60):
        y = Counted.apply(y, y)
    y.sum().backward()
    assert calls == 60
    assert x.grad.tolist() == [2.0**60]


def test_topological_order_puts_users_first() -> None:
    x = leaf(1.0)
    a = x * 2
    b = a + x
    c = (a * b).sum()
    order = topological_order([c.grad_fn])
    places = {node: place for place, node in enumerate(order)}
    assert len(order) == len(places) == 5
    for node in order:
        for edge in node.edges:
            assert edge is None or places[node] < places[edge[0]]


def test_two_backwards_accumulate() -> None:
    x = leaf(1.0, 2.0)
    (x * x).sum().backward()
    (x * 3).sum().backward()
    assert x.grad.tolist() == [5.0, 7.0]


def test_accumulation_leaves_the_earlier_gradient_object_alone() -> None:
    x = leaf(1.0)
    (x * 2).sum().backward()
    first = x.grad
    (x * 2).sum().backward()
    assert first.tolist() == [2.0]
    assert x.grad.tolist() == [4.0]


def test_a_second_backward_needs_retain_graph() -> None:
    x = leaf(2.0)
    y = (x * x).sum()
    y.backward(retain_graph=True)
    y.backward()
    assert x.grad.tolist() == [8.0]
    with pytest.raises(GraphError, match="retain_graph=True"):
        y.backward()
    assert x.grad.tolist() == [8.0]


def test_a_freed_graph_holds_no_arrays() -> None:
    x = leaf(2.0)
    h = tc.exp(x)
    array = weakref.ref(h.array)
    y = h.sum()
    y.backward()
    del h
    gc.collect()
    assert array() is None
    assert y.grad_fn is not None


def test_a_graph_is_freed_without_the_garbage_collector() -> None:
    """No reference cycles: a training loop gives its memory back at once."""
    gc.collect()
    gc.disable()
    try:
        x = leaf(2.0)
        h = tc.softmax(tc.relu(tc.sigmoid(tc.exp(x))), 0)
        node = weakref.ref(h.grad_fn)
        del h
        assert node() is None
    finally:
        gc.enable()


def test_detach_cuts_the_graph_and_shares_memory() -> None:
    x = leaf(2.0)
    y = x * 3
    d = y.detach()
    assert not d.requires_grad and d.grad_fn is None
    assert np.shares_memory(d.array, y.array)
    (y * d).sum().backward()
    assert x.grad.tolist() == [3.0 * 6.0]


@pytest.mark.parametrize("backend", BACKENDS)
def test_gradients_of_two_leaves_never_share_memory(backend: str) -> None:
    with kernels(backend):
        a, b, c = (tc.ones(40, 40, requires_grad=True) for _ in range(3))
        start = tc.ones(40, 40)
        (a + b + c.reshape(1600).reshape(40, 40)).backward(start)
    for first, second in ((a, b), (a, c), (b, c)):
        assert not np.shares_memory(first.grad.array, second.grad.array)
    assert not any(np.shares_memory(x.grad.array, start.array) for x in (a, b, c))
    a.grad.array += 1
    assert b.grad.array.max() == c.grad.array.max() == start.array.max() == 1


def test_the_gradient_of_a_sum_can_be_written_to() -> None:
    x = leaf(1.0, 2.0, 3.0)
    x.sum().backward()
    x.grad.array[0] = 5
    assert x.grad.tolist() == [5.0, 1.0, 1.0]
    x.grad = None
    (2 * x.sum()).backward()  # one 2, seen three times: memory of its own, but not one for each element
    x.grad.array[0] = 5
    assert x.grad.tolist() == [5.0, 2.0, 2.0]


def test_broadcast_inputs_get_gradients_of_their_own_shape() -> None:
    a, b, c = (tc.ones(*shape, requires_grad=True) for shape in ((2, 3, 4), (3, 1), ()))
    (a * b + c).sum().backward()
    assert (a.grad.shape, b.grad.shape, c.grad.shape) == ((2, 3, 4), (3, 1), ())
    assert b.grad.tolist() == [[8.0]] * 3
    assert c.grad.item() == 24.0


def test_backward_of_several_elements_needs_a_gradient_of_the_same_shape() -> None:
    x = leaf(1.0, 2.0)
    with pytest.raises(GraphError, match=r"backward: the output's shape is \(2,\).*explicit gradient"):
        (x * 2).backward()
    with pytest.raises(GraphError, match=r"the gradient's shape is \(3,\).*\(2,\)"):
        (x * 2).backward(tc.ones(3))
    (x * 2).backward(tc.tensor([1.0, 10.0]).double())
    assert x.grad.tolist() == [2.0, 20.0]


def test_backward_without_a_graph_is_an_error() -> None:
    with pytest.raises(GraphError, match="not connected"):
        tc.ones(1).backward()


def test_a_leaf_can_be_its_own_output() -> None:
    x = leaf(4.0)
    x.backward()
    assert x.grad.tolist() == [1.0]


def test_tensors_without_dimensions() -> None:
    x = tc.tensor(3.0, requires_grad=True)
    y = x * x + 2 * x
    assert y.shape == () and not isinstance(y.array, np.generic)
    y.backward()
    assert x.grad.shape == () and x.grad.item() == 8.0


def test_integer_tensors_take_no_part() -> None:
    x = leaf(1.0, 2.0)
    values, indices = x.max(0)
    assert values.requires_grad and not indices.requires_grad
    assert not (x > 1).requires_grad
    assert not x.astype("int64").requires_grad


def test_no_graph_is_kept_without_requires_grad() -> None:
    y = tc.exp(tc.ones(3)) * 2
    assert y.grad_fn is None and not y.requires_grad
