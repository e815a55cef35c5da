"""Dtypes of mixed operands, the operators, and values at the edges of the elementwise ops."""

from __future__ import annotations

import operator
from itertools import product
from typing import Any

import numpy as np
import pytest

import tinyconv as tc
from tests.backends import BACKENDS, kernels

OPERATORS = (operator.add, operator.sub, operator.mul, operator.truediv, operator.pow)
MAKERS = {
    "float32": ("float32", (2,)),
    "float64": ("float64", (2,)),
    "float64 without dimensions": ("float64", ()),
    "float32 without dimensions": ("float32", ()),
    "int64": ("int64", (2,)),
    "int32": ("int32", (2,)),
    "uint8": ("uint8", (2,)),
    "bool": ("bool", (2,)),
    "int64 without dimensions": ("int64", ()),
}


@pytest.mark.parametrize("op", (operator.add, operator.mul, operator.truediv), ids=lambda f: f.__name__)
@pytest.mark.parametrize(("first", "second"), list(product(MAKERS, MAKERS)))
def test_the_dtype_of_two_operands_is_that_of_pytorch(op: Any, first: str, second: str) -> None:
    torch = pytest.importorskip("torch")
    arrays = [np.ones(shape, dtype) for dtype, shape in (MAKERS[first], MAKERS[second])]
    got = op(*map(tc.tensor, arrays))
    expected = op(*map(torch.tensor, arrays))
    assert str(got.dtype) == str(expected.dtype).removeprefix("torch.")


@pytest.mark.parametrize("number", (2, 2.5))
@pytest.mark.parametrize("dtype", ("float32", "float64", "int64", "uint8", "bool"))
@pytest.mark.parametrize("op", OPERATORS, ids=lambda f: f.__name__)
def test_numbers_take_the_dtype_of_the_tensor(op: Any, dtype: str, number: float) -> None:
    torch = pytest.importorskip("torch")
    if dtype == "bool" and op is operator.sub:
        pytest.skip("PyTorch subtracts no truth values")
    x = np.array([1, 2, 3], dtype)
    for got, expected in (
        (op(tc.tensor(x), number), op(torch.tensor(x), number)),
        (op(number, tc.tensor(x)), op(number, torch.tensor(x))),
    ):
        assert str(got.dtype) == str(expected.dtype).removeprefix("torch.")
        np.testing.assert_allclose(got.numpy(), expected.numpy(), rtol=1e-6)


def test_a_gradient_has_the_dtype_of_its_input() -> None:
    x = tc.ones(3, requires_grad=True)
    y = tc.ones(3, dtype="float64", requires_grad=True)
    (x * y).sum().backward()
    assert x.grad is not None and y.grad is not None
    assert (x.grad.dtype, y.grad.dtype) == (tc.float32, tc.float64)


@pytest.mark.parametrize("backend", BACKENDS)
def test_powers_of_zero_and_of_negative_numbers_have_pytorchs_gradients(backend: str) -> None:
    torch = pytest.importorskip("torch")
    base, exponent = np.array([0.0, 0.0, 0.0, -2.0, -2.0, 3.0]), np.array([0.0, 2.0, 1.0, 2.0, 3.0, 0.0])
    a, b = tc.tensor(base, requires_grad=True), tc.tensor(exponent, requires_grad=True)
    p, q = torch.tensor(base, requires_grad=True), torch.tensor(exponent, requires_grad=True)
    with kernels(backend):
        (a**b).sum().backward()
    (p**q).sum().backward()
    np.testing.assert_allclose(a.grad.numpy(), p.grad.numpy())
    np.testing.assert_allclose(b.grad.numpy(), q.grad.numpy())


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("dtype", ("float32", "float64"))
def test_infinities_and_nan_without_a_warning(backend: str, dtype: str) -> None:
    x = tc.tensor([0.0, -1.0, 1.0, 1e3, -1e3, float("nan")], dtype=dtype)
    with kernels(backend):
        assert tc.log(x).tolist()[0] == -np.inf
        assert np.isnan(tc.log(x).tolist()[1])
        assert (1 / x).tolist()[0] == np.inf
        assert tc.exp(x).tolist()[3:5] == [np.inf, 0.0]
        assert tc.sigmoid(x).tolist()[3:5] == [1.0, 0.0]
        assert tc.tanh(x).tolist()[3:5] == [1.0, -1.0]
        for f in (tc.log, tc.exp, tc.sigmoid, tc.tanh, tc.relu, tc.elu, tc.leaky_relu):
            assert np.isnan(f(x).tolist()[5])


def test_comparisons_give_truth_values() -> None:
    x = tc.tensor([1.0, 2.0, 3.0])
    assert (x < 2).tolist() == [True, False, False]
    assert (x >= tc.tensor([1.0, 3.0, 3.0])).tolist() == [True, False, True]
    assert (x == 2).tolist() == [False, True, False]
    assert (x != 2).dtype == tc.bool_
    assert (x == None) is False  # noqa: E711
    assert not (x > 0).requires_grad


def test_where_sends_the_gradient_to_the_chosen_side() -> None:
    a, b = tc.ones(3, requires_grad=True), tc.ones(1, requires_grad=True)
    tc.where(tc.tensor([True, False, False]), a, b).sum().backward()
    assert a.grad.tolist() == [1.0, 0.0, 0.0]
    assert b.grad.tolist() == [2.0]


def test_conversions_by_name() -> None:
    x = tc.tensor([0.0, 2.7, -1.5])
    assert (x.long().dtype, x.long().tolist()) == (tc.int64, [0, 2, -1])
    assert (x.int().dtype, x.bool().tolist()) == (tc.int32, [False, True, True])
    assert x.type_as(tc.zeros(1, dtype="float64")).dtype == tc.float64


def test_the_angle_of_no_point_has_derivative_zero() -> None:
    y, x = (tc.tensor([0.0, 3.0], dtype="float64", requires_grad=True) for _ in range(2))
    first = tc.autograd.grad(tc.atan2(y, x).sum(), [y, x], create_graph=True)
    assert [g.tolist() for g in first] == [[0.0, 1 / 6], [0.0, -1 / 6]]
    (second,) = tc.autograd.grad(first[0].sum(), y)
    assert second.tolist() == pytest.approx([0.0, -1 / 18])
