"""Arithmetic in place: where it changes memory, where it makes a new tensor, where it refuses."""

from __future__ import annotations

import operator

import numpy as np
import pytest

import tinyconv as tc
from tinyconv.errors import DtypeError, GraphError, ShapeError

SYMBOLS = {"+=": "add", "-=": "sub", "*=": "mul", "/=": "div", "**=": "pow"}
STATEMENTS = {
    "+=": operator.iadd,
    "-=": operator.isub,
    "*=": operator.imul,
    "/=": operator.itruediv,
    "**=": operator.ipow,
}


def apply(symbol, x, y):
    """The value of x after ``x symbol y``."""
    return STATEMENTS[symbol](x, y)


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_under_no_grad_a_parameter_is_changed_in_its_memory(symbol):
    values = np.array([1.0, 2.0, 3.0])
    parameter = tc.tensor(values, requires_grad=True)
    memory = parameter.array
    with tc.no_grad():
        result = apply(symbol, parameter, 2)
        getattr(result, f"{SYMBOLS[symbol]}_")(3)
    expected = apply(symbol, apply(symbol, values.copy(), 2), 3)
    assert result is parameter and parameter.array is memory and parameter.requires_grad
    np.testing.assert_array_equal(parameter.detach().numpy(), expected)


def test_gradient_descent_by_hand_moves_the_weights():
    weight = tc.tensor([3.0], requires_grad=True)
    for _ in range(3):
        weight.grad = None
        (weight * weight).sum().backward()
        with tc.no_grad():
            weight -= 0.25 * weight.grad
    assert weight.item() == 3 / 8


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_in_a_graph_the_name_gets_a_new_tensor_and_the_gradient_is_right(symbol):
    x = tc.tensor(np.array([1.5, 2.5]), requires_grad=True)
    assert tc.gradcheck(lambda x: apply(symbol, x * 1, tc.tensor(np.array([2.0, 3.0]))), x)
    outside = tc.tensor(np.array([2.0, 3.0]))
    result = apply(symbol, outside, x)
    assert result.requires_grad and outside.tolist() == [2, 3]


def test_what_the_graph_would_not_know_of_is_refused():
    leaf, other = tc.ones(2, requires_grad=True), tc.ones(2)
    with pytest.raises(GraphError, match=r"\+=: the tensor is a leaf that needs a gradient"):
        leaf += 1
    with pytest.raises(GraphError, match=r"add_: the tensor is part of a graph"):
        leaf.add_(1)
    for change in (other.copy_, other.add_, lambda value: other.__setitem__(slice(0, 2), value)):
        with pytest.raises(GraphError, match="the new value is part of a graph"):
            change(leaf * 3)
    assert other.tolist() == [1, 1] and leaf.tolist() == [1, 1]


def test_a_result_that_does_not_fit_is_refused():
    x, numbers = tc.ones(2), tc.arange(3)
    with pytest.raises(ShapeError, match=r"\+=: the result's shape is \(4, 2\)"):
        x += tc.ones(4, 2)
    with pytest.raises(DtypeError, match=r"/=: the result's dtype is float32, expected the tensor's, int64"):
        numbers /= 2
    assert x.tolist() == [1, 1] and numbers.tolist() == [0, 1, 2]
