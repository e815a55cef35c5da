"""`autograd.grad`: gradients of chosen tensors, and derivatives of derivatives."""

from __future__ import annotations

from typing import Any

import pytest

import tinyconv as tc
from tinyconv.errors import DtypeError, GraphError


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


def test_zeros_for_an_input_that_is_not_used() -> None:
    x, other = leaf(3.0), leaf(1.0, 2.0)
    gradients = tc.autograd.grad(x * x, [x, other], materialize_grads=True)
    assert [g.tolist() for g in gradients] == [[6.0], [0.0, 0.0]]


def test_backward_of_several_tensors_into_chosen_leaves() -> None:
    x, w = leaf(2.0), leaf(5.0)
    tc.autograd.backward([x * w, x * x], [tc.tensor([1.0], dtype="float64"), None])
    assert (x.grad.tolist(), w.grad.tolist()) == ([9.0], [2.0])
    (x * w).backward(inputs=[w])
    assert (x.grad.tolist(), w.grad.tolist()) == ([9.0], [4.0])


def test_two_leaves_do_not_share_the_memory_of_a_gradient() -> None:
    a, b, start = leaf(1.0), leaf(1.0), tc.tensor([1.0], dtype="float64")
    (a + b).backward(start, inputs=[a, b])
    a.grad.add_(1)
    assert (a.grad.tolist(), b.grad.tolist(), start.tolist()) == ([2.0], [1.0], [1.0])


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda x: tc.autograd.grad(x, 3), DtypeError, r"grad: inputs\[0\] is a int, expected a Tensor"),
        (lambda x: tc.autograd.grad([x, 1], x), DtypeError, r"grad: outputs\[1\] is a int"),
        (
            lambda x: tc.autograd.grad(x, x, 1.0),
            DtypeError,
            "grad: the gradient is a float, expected a Tensor",
        ),
        (lambda x: x.backward(inputs=[x * 2]), GraphError, r"backward: inputs\[0\] is not a leaf"),
        (lambda x: x.backward("a"), DtypeError, "backward: the gradient is a str"),
        (
            lambda x: tc.autograd.backward(x, [x, x]),
            GraphError,
            "the number of grad_tensors is 2, expected 1",
        ),
        (lambda x: tc.autograd.grad(x, x, is_grads_batched=True), GraphError, "is_grads_batched is True"),
    ],
)
def test_wrong_arguments_are_named(call: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        call(leaf(1.0))


def test_the_checks_are_found_where_pytorch_has_them() -> None:
    assert tc.autograd.gradcheck is tc.gradcheck and tc.autograd.gradgradcheck is tc.gradgradcheck
    with pytest.raises(AttributeError, match=r"tinyconv\.autograd has no 'gradchek'; nearest: 'gradcheck'"):
        _ = tc.autograd.gradchek
