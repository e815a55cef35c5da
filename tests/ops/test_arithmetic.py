"""Functions of one variable, division, extremes, comparison and logic at kinks and edges, against PyTorch."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
import pytest

import tinyconv as tc

EDGES = np.array([-np.inf, -2.5, -1.0, -0.5, -0.0, 0.0, 0.5, 1.0, 1.5, 2.5, np.inf, np.nan])
UNARY = ("abs", "sqrt", "rsqrt", "square", "reciprocal", "sin", "cos", "log1p", "expm1", "sign", "floor")
UNARY = (*UNARY, "ceil", "trunc", "round")
COMPARISONS = ("eq", "ne", "lt", "le", "gt", "ge", "logical_and", "logical_or", "logical_xor")
BITWISE = ("bitwise_and", "bitwise_or", "bitwise_xor")


def both(torch: Any, *arrays: Any, grad: bool = True) -> tuple[list[Any], list[Any]]:
    ours = [tc.tensor(x, requires_grad=grad and x.dtype.kind == "f") for x in arrays]
    return ours, [torch.tensor(x, requires_grad=grad and x.dtype.kind == "f") for x in arrays]


def same(got: Any, expected: Any) -> None:
    assert str(got.dtype) == str(expected.dtype).removeprefix("torch.")
    np.testing.assert_allclose(got.detach().numpy(), expected.detach().numpy(), rtol=1e-6)


@pytest.mark.parametrize("name", UNARY)
def test_edges_of_functions_of_one_variable(name: str) -> None:
    torch = pytest.importorskip("torch")
    (x,), (p,) = both(torch, EDGES)
    y, q = getattr(tc, name)(x), getattr(torch, name)(p)
    same(y, q)
    y.sum().backward()
    q.sum().backward()
    same(x.grad, p.grad)


@pytest.mark.parametrize("name", UNARY)
@pytest.mark.parametrize("dtype", ("int64", "uint8", "float32"))
def test_functions_of_one_variable_have_pytorchs_dtypes(name: str, dtype: str) -> None:
    torch = pytest.importorskip("torch")
    x = np.array([0, 1, 5], dtype)
    same(getattr(tc, name)(tc.tensor(x)), getattr(torch, name)(torch.tensor(x)))


@pytest.mark.parametrize("name", ("maximum", "minimum"))
def test_ties_share_the_gradient_of_extremes(name: str) -> None:
    torch = pytest.importorskip("torch")
    a, b = (x.reshape(-1) for x in np.meshgrid([-1.0, 0.0, 1.0, np.nan], [-1.0, 0.0, 1.0, np.nan]))
    ours, theirs = both(torch, a, b)
    y, q = getattr(tc, name)(*ours), getattr(torch, name)(*theirs)
    same(y, q)
    y.sum().backward()
    q.sum().backward()
    for x, p in zip(ours, theirs, strict=True):
        same(x.grad, p.grad)


def test_clamp_at_its_limits() -> None:
    torch = pytest.importorskip("torch")
    grid = np.meshgrid([-1.0, 0.0, 1.0, np.nan], [-1.0, 0.0, 1.0], [-1.0, 0.0, 1.0])
    ours, theirs = both(torch, *(x.reshape(-1) for x in grid))
    y, q = tc.clamp(*ours), torch.clamp(*theirs)
    same(y, q)
    y.sum().backward()
    q.sum().backward()
    for x, p in zip(ours, theirs, strict=True):
        same(x.grad, p.grad)


@pytest.mark.parametrize("limits", ((0, 1), (0.0, 1.0), (2, 1), (None, 0.5), (-1, None)))
@pytest.mark.parametrize("dtype", ("float64", "float32", "int64"))
def test_clamp_with_numbers(limits: tuple[Any, Any], dtype: str) -> None:
    torch = pytest.importorskip("torch")
    values = np.array([-2, 0, 1, 3], dtype)
    (x,), (p,) = both(torch, values)
    y, q = x.clamp(*limits), p.clamp(*limits)
    same(y, q)
    if dtype != "int64":
        y.sum().backward()
        q.sum().backward()
        same(x.grad, p.grad)


@pytest.mark.parametrize("op", (operator.floordiv, operator.mod))
@pytest.mark.parametrize("dtype", ("int64", "float64"))
def test_whole_number_division(op: Any, dtype: str) -> None:
    torch = pytest.importorskip("torch")
    a, b = (x.reshape(-1).astype(dtype) for x in np.meshgrid([-7, -3, 0, 3, 7], [-3, -1, 1, 3]))
    (x, y), (p, q) = both(torch, a, b, grad=False)
    same(op(x, y), op(p, q))
    same(op(x, 2), op(p, 2))
    same(op(7, y), op(7, q))


@pytest.mark.parametrize("name", COMPARISONS)
def test_comparisons_are_those_of_pytorch(name: str) -> None:
    torch = pytest.importorskip("torch")
    a, b = (x.reshape(-1) for x in np.meshgrid(EDGES, EDGES))
    (x, y), (p, q) = both(torch, a, b)
    same(getattr(tc, name)(x, y), getattr(torch, name)(p, q))
    same(getattr(x, name)(y), getattr(p, name)(q))
    assert not getattr(x, name)(y).requires_grad


@pytest.mark.parametrize("name", BITWISE)
@pytest.mark.parametrize("dtype", ("bool", "int64", "uint8"))
def test_operators_on_truth_values_and_bits(name: str, dtype: str) -> None:
    torch = pytest.importorskip("torch")
    a, b = (x.reshape(-1).astype(dtype) for x in np.meshgrid([0, 1, 6], [0, 1, 3]))
    (x, y), (p, q) = both(torch, a, b, grad=False)
    same(getattr(tc, name)(x, y), getattr(torch, name)(p, q))
    symbol = {"bitwise_and": operator.and_, "bitwise_or": operator.or_, "bitwise_xor": operator.xor}[name]
    same(symbol(x, y), symbol(p, q))
    same(symbol(True, x), symbol(True, p))
    same(~x, ~p)


@pytest.mark.parametrize("name", ("isnan", "isinf", "isfinite", "logical_not"))
def test_questions_about_numbers(name: str) -> None:
    torch = pytest.importorskip("torch")
    for values in (EDGES, np.arange(3)):
        same(getattr(tc, name)(tc.tensor(values)), getattr(torch, name)(torch.tensor(values)))


@pytest.mark.parametrize("name", ("any", "all"))
@pytest.mark.parametrize("dim", (None, 0, -1, (0, 2)))
@pytest.mark.parametrize("keepdim", (False, True))
def test_any_and_all(name: str, dim: Any, keepdim: bool) -> None:
    torch = pytest.importorskip("torch")
    values = np.random.default_rng(0).random((2, 3, 4)) < (0.3 if name == "any" else 0.8)
    expected = getattr(torch.tensor(values), name)(dim=dim, keepdim=keepdim)
    same(getattr(tc.tensor(values), name)(dim, keepdim), expected)
    assert getattr(tc.zeros(0), name)().item() is (name == "all")


@pytest.mark.parametrize("equal_nan", (False, True))
def test_closeness(equal_nan: bool) -> None:
    torch = pytest.importorskip("torch")
    a, b = (x.reshape(-1) for x in np.meshgrid(EDGES, np.append(EDGES, EDGES * 1.0001)))
    (x, y), (p, q) = both(torch, a, b, grad=False)
    for rtol in (1e-5, 1e-3):
        same(tc.isclose(x, y, rtol, equal_nan=equal_nan), torch.isclose(p, q, rtol, equal_nan=equal_nan))
        assert tc.allclose(x, y, rtol) is False and tc.allclose(x, x, equal_nan=True) is True


def test_equal_compares_shapes_too() -> None:
    assert tc.equal(tc.ones(2), tc.ones(2)) is True
    assert tc.equal(tc.ones(2), tc.ones(2, 1)) is False
    assert tc.ones(2).equal(tc.tensor([1.0, 2.0])) is False
