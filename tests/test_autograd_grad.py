"""`autograd.grad`: gradients of chosen tensors, and derivatives of derivatives."""

from __future__ import annotations

import pytest

import tinyconv as tc
from tinyconv.errors import GraphError


def leaf(*values: float) -> tc.Tensor:
    return tc.tensor(list(values), dtype="float64", requires_grad=True)


def test_create_graph_gives_all_derivatives_of_a_cubic() -> None:
    x = leaf(2.0)
    y = (x * x * x).sum()
    derivatives = []
    for _ in range(4):
        (y,) = tc.autograd.grad(y, x, create_graph=True) if y.requires_grad else (x * 0,)
        derivatives.append(y.item())
        y = y.sum()
    assert derivatives == [12.0, 12.0, 6.0, 0.0]


def test_backward_with_create_graph_records_the_gradient() -> None:
    x = leaf(3.0)
    (x**3).sum().backward(create_graph=True)
    assert x.grad.requires_grad
    first, x.grad = x.grad, None
    first.sum().backward()
    assert x.grad.tolist() == [18.0]


def test_a_gradient_is_not_recorded_by_default() -> None:
    x = leaf(3.0)
    (x**3).sum().backward()
    assert not x.grad.requires_grad and x.grad.grad_fn is None


def test_grad_of_unused_inputs() -> None:
    x, y = leaf(1.0), leaf(2.0)
    with pytest.raises(GraphError, match=r"inputs\[1\].*allow_unused=True"):
        tc.autograd.grad((x * 2).sum(), [x, y])
    used, unused = tc.autograd.grad((x * 2).sum(), [x, y], allow_unused=True)
    assert used.tolist() == [2.0] and unused is None
    assert x.grad is None


def test_grad_of_intermediate_tensors_and_of_the_output_itself() -> None:
    x = leaf(3.0)
    h = x * 2
    y = h * h
    g_h, g_x, g_y = tc.autograd.grad(y.sum(), [h, x, y], retain_graph=True)
    assert (g_h.item(), g_x.item(), g_y.item()) == (12.0, 24.0, 1.0)
    assert tc.autograd.grad(h.sum() + x.sum(), x)[0].item() == 3.0


def test_grad_of_several_outputs_is_their_sum() -> None:
    x = leaf(1.0, 2.0)
    (g,) = tc.autograd.grad([x * 2, x * x], x, [tc.ones(2, dtype="float64"), tc.tensor([1.0, 0.0]).double()])
    assert g.tolist() == [4.0, 2.0]


def test_grad_refuses_an_input_without_requires_grad() -> None:
    x = leaf(1.0)
    with pytest.raises(GraphError, match=r"inputs\[0\].*requires_grad"):
        tc.autograd.grad((x * 2).sum(), tc.ones(1))


def test_a_list_of_outputs_needs_a_list_of_as_many_gradients() -> None:
    x = leaf(1.0, 2.0)
    with pytest.raises(GraphError, match="grad_outputs"):
        tc.autograd.grad([x * 2, x * 3], x, [tc.ones(2, dtype="float64")])
