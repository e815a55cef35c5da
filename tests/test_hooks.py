"""Hooks on tensors: what they see, what they may change, and taking them away."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import pytest

import tinyconv as tc
from tinyconv.errors import ArgumentError, GraphError


def leaf(*values: float) -> tc.Tensor:
    return tc.tensor(list(values), dtype="float64", requires_grad=True)


def test_a_hook_sees_the_whole_gradient_once() -> None:
    x = leaf(3.0)
    h = x * 2
    seen: list[Any] = []
    h.register_hook(lambda grad: seen.append(grad.tolist()))
    (h * h + h * 5).sum().backward()
    assert seen == [[2 * 6.0 + 5.0]]
    assert x.grad.tolist() == [34.0]


def test_a_hook_may_replace_the_gradient() -> None:
    x = leaf(3.0)
    h = x * 2
    h.register_hook(lambda grad: grad * 10)
    h.register_hook(lambda grad: grad + 1)
    x.register_hook(lambda grad: -grad)
    h.sum().backward()
    assert x.grad.tolist() == [-2 * 11.0]


def test_a_hook_on_a_leaf_works_on_graphs_made_before_and_after() -> None:
    x = leaf(1.0)
    before = (x * 2).sum()
    handle = x.register_hook(lambda grad: grad * 3)
    before.backward()
    assert x.grad.tolist() == [6.0]
    (x * 2).sum().backward()
    assert x.grad.tolist() == [12.0]
    handle.remove()
    handle.remove()
    (x * 2).sum().backward()
    assert x.grad.tolist() == [14.0]


def test_a_handle_ends_with_its_block() -> None:
    x = leaf(1.0)
    with x.register_hook(lambda grad: grad * 3):
        (x * 2).sum().backward()
    (x * 2).sum().backward()
    assert x.grad.tolist() == [8.0]


def test_a_hook_may_remove_itself() -> None:
    x = leaf(1.0)
    calls: list[Any] = []

    def once(grad: tc.Tensor) -> None:
        calls.append(grad)
        handle.remove()

    handle = x.register_hook(once)
    for _ in range(2):
        (x * 2).sum().backward()
    assert len(calls) == 1


def test_a_hook_outlives_its_tensor_but_not_its_graph() -> None:
    x = leaf(1.0)
    h = x * 2
    h.register_hook(lambda grad: grad * 5)
    y = h.sum()
    node = weakref.ref(h.grad_fn)
    del h
    y.backward()
    assert x.grad.tolist() == [10.0]
    gc.disable()
    try:
        del y
        assert node() is None
    finally:
        gc.enable()


def test_one_output_of_several() -> None:
    x = leaf(1.0, 5.0)
    values, _ = x.max(0)
    values.register_hook(lambda grad: grad * 7)
    values.backward()
    assert x.grad.tolist() == [0.0, 7.0]


def test_a_hook_is_part_of_higher_derivatives() -> None:
    x = leaf(2.0)
    y = x * x
    y.register_hook(lambda grad: grad * x)
    (first,) = tc.autograd.grad(y.sum(), x, create_graph=True)
    assert first.tolist() == [8.0]
    assert tc.autograd.grad(first.sum(), x)[0].tolist() == [8.0]


def test_a_wrong_hook_is_told_what_it_did() -> None:
    x = leaf(1.0, 2.0)
    y = x * 2

    def summed(grad: tc.Tensor) -> Any:
        return grad.sum()

    with y.register_hook(summed), pytest.raises(GraphError, match=r"hook summed: .*\(\).*\(2,\)"):
        y.sum().backward(retain_graph=True)
    with (
        y.register_hook(lambda grad: grad.float()),
        pytest.raises(GraphError, match=r"float32.*expected.*float64"),
    ):
        y.sum().backward(retain_graph=True)
    with y.register_hook(lambda grad: 3), pytest.raises(GraphError, match="a int, expected a Tensor"):  # type: ignore[arg-type,return-value]
        y.sum().backward(retain_graph=True)
    with pytest.raises(ArgumentError, match="register_hook: hook is 3"):
        y.register_hook(3)  # type: ignore[arg-type]
    with pytest.raises(GraphError, match=r"register_hook: .*without requires_grad"):
        tc.ones(1).register_hook(lambda grad: None)
    with pytest.raises(GraphError, match=r"retain_grad: .*without requires_grad"):
        tc.ones(1).retain_grad()


def test_retain_grad() -> None:
    x = leaf(3.0)
    h = x * 2
    assert not h.retains_grad
    h.retain_grad()
    x.retain_grad()
    assert h.retains_grad and not x.retains_grad
    y = (h * h).sum()
    y.backward(retain_graph=True)
    assert h.grad.tolist() == [12.0] and x.grad.tolist() == [24.0]
    y.backward()
    assert h.grad.tolist() == [24.0] and x.grad.tolist() == [48.0]


def test_a_retained_gradient_is_memory_of_its_own() -> None:
    x = leaf(3.0)
    h = x * 2
    h.retain_grad()
    h.sum().backward()
    h.grad.fill_(9)
    assert x.grad.tolist() == [2.0]


def use(engine: Any, first_retain: bool) -> list[Any]:
    """A graph with hooks everywhere, walked four times."""
    x = engine.tensor([2.0, -1.0], dtype=engine.float64, requires_grad=True)
    h = x * 3
    if first_retain:
        h.retain_grad()
    h.register_hook(lambda grad: grad * 2)
    if not first_retain:
        h.retain_grad()
    x.register_hook(lambda grad: grad * 10)
    y = (h * h * x).sum()
    found = [engine.autograd.grad(y, h, retain_graph=True)[0].tolist(), h.grad.tolist()]
    found += [engine.autograd.grad(y, x, retain_graph=True)[0].tolist(), h.grad.tolist(), x.grad]
    y.backward(retain_graph=True)
    found += [h.grad.tolist(), x.grad.tolist()]
    y.backward()
    return [*found, h.grad.tolist(), x.grad.tolist()]


@pytest.mark.parametrize("first_retain", (True, False))
def test_the_same_as_in_pytorch(first_retain: bool) -> None:
    torch = pytest.importorskip("torch")
    assert use(tc, first_retain) == use(torch, first_retain)
