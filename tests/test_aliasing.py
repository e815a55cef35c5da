"""Gradients and outputs never share memory with something that somebody else may change."""

from __future__ import annotations

import numpy as np

import tinyconv as tc


class Same(tc.Function):
    """y = x, handed on as the very same array; the backward multiplies by x."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * x


def test_a_saved_input_that_is_also_the_output_is_the_input():
    x = tc.tensor(3.0, requires_grad=True)
    (first,) = tc.autograd.grad(Same.apply(x), x, create_graph=True)
    (second,) = tc.autograd.grad(first, x)
    assert (first.item(), second.item()) == (3.0, 1.0)


def test_a_leafs_gradient_is_not_the_gradient_that_was_given():
    given = tc.ones(2, 3)
    x = tc.zeros(3, requires_grad=True)
    (x + 0).backward(given[0])
    x.grad.fill_(7)
    np.testing.assert_array_equal(given.numpy(), 1)


def test_two_leaves_have_gradients_of_their_own_also_with_create_graph():
    a, b = tc.ones(3, requires_grad=True), tc.ones(3, requires_grad=True)
    ((a + b) ** 2).sum().backward(create_graph=True)
    with tc.no_grad():
        a.grad.fill_(0)
    np.testing.assert_array_equal(b.grad.detach().numpy(), 4)
