"""Reductions at ties, zeros, infinities and empty dimensions, against PyTorch."""

from __future__ import annotations

from math import inf, nan
from typing import Any

import numpy as np
import pytest

import tinyconv as tc
from tests.ops.test_arithmetic import both, same


def compare(name: str, values: Any, *args: Any, **options: Any) -> None:
    torch = pytest.importorskip("torch")
    (x,), (p,) = both(torch, np.asarray(values))
    y, q = getattr(x, name)(*args, **options), getattr(p, name)(*args, **options)
    if isinstance(y, tuple):
        same(y[1], q[1])
        y, q = y[0], q[0]
    same(y, q)
    if q.requires_grad:
        y.sum().backward()
        q.sum().backward()
        np.testing.assert_allclose(x.grad.numpy(), np.zeros(x.shape) if p.grad is None else p.grad.numpy())


@pytest.mark.parametrize("name", ("amin", "amax", "min", "max", "argmin", "argmax"))
def test_ties_and_nan(name: str) -> None:
    ties, numbers = [[2.0, 1.0, 1.0], [0.0, 0.0, 0.0]], [[nan, 1.0, nan], [1.0, inf, -inf]]
    compare(name, ties, 1)
    compare(name, ties)
    if name in ("amin", "amax"):  # PyTorch's gradient of these is NaN for the whole row
        assert np.isnan(getattr(tc.tensor(numbers), name)(1).tolist()[0])
    else:
        compare(name, numbers, 1)


@pytest.mark.parametrize("name", ("amin", "amax", "min", "max"))
def test_nan_gets_the_gradient_where_it_is_chosen(name: str) -> None:
    x = tc.tensor([nan, 1.0, nan], requires_grad=True)
    getattr(x, name)().backward()
    assert x.grad.tolist() == [0.5, 0.0, 0.5]


@pytest.mark.parametrize("zeros", (0, 1, 2))
@pytest.mark.parametrize("args", ((), (0,), (1, True)))
def test_the_product_of_zeros_has_a_gradient(zeros: int, args: tuple[Any, ...]) -> None:
    values = np.arange(1.0, 16).reshape(3, 5)
    values[1, :zeros] = 0
    compare("prod", values, *args)


def test_the_second_derivative_of_a_product_with_a_zero() -> None:
    x = tc.tensor([0.0, 2.0, 3.0], dtype="float64", requires_grad=True)
    (first,) = tc.autograd.grad(x.prod(), x, create_graph=True)
    assert first.tolist() == [6.0, 0.0, 0.0]
    (second,) = tc.autograd.grad(first[0], x)
    assert second.tolist() == [0.0, 3.0, 2.0]


@pytest.mark.parametrize("name", ("var", "std"))
def test_the_forms_of_variance(name: str) -> None:
    values = np.random.default_rng(0).standard_normal((3, 4))
    for args in ((), (False,), (True,), (0,), (0, False), ((0, 1), True, True)):
        compare(name, values, *args)
    for correction in (0, 1, 2):
        compare(name, values, 1, correction=correction, keepdim=True)


def test_the_standard_deviation_of_equal_numbers_has_gradient_zero() -> None:
    compare("std", np.full((2, 3), 5.0), 1)


@pytest.mark.filterwarnings("ignore:.*degrees of freedom")
def test_the_variance_of_one_number() -> None:
    assert np.isnan(tc.ones(1).var().item())
    assert tc.ones(1).var(correction=0).item() == 0


@pytest.mark.parametrize("values", ([1e3, 1e3], [-inf, 0.0], [-1e3, 1e3], [-800.0, -800.0]))
def test_logsumexp_does_not_overflow(values: list[float]) -> None:
    compare("logsumexp", values, 0)
    assert tc.tensor([-inf, -inf]).logsumexp(0).item() == -inf
    assert tc.tensor([inf, 0.0]).logsumexp(0).item() == inf
    assert tc.zeros(2, 0).logsumexp(1).tolist() == [-inf, -inf]


@pytest.mark.parametrize("p", ("fro", 1, 2, 3, 1.5, 0.5, 0, inf, -inf))
@pytest.mark.parametrize("values", ([[3.0, 0.0, -4.0]], [[0.0, 0.0, 0.0]], [[2.0, -2.0, 1.0]]))
def test_norms_at_zeros_and_ties(p: Any, values: Any) -> None:
    if p == 0.5 and not np.any(values):
        pytest.skip("PyTorch has NaN there")
    compare("norm", values, p, 1)


@pytest.mark.parametrize("dtype", ("bool", "uint8", "int32", "int64"))
@pytest.mark.parametrize("name", ("prod", "cumsum", "amin"))
def test_reductions_of_integers(name: str, dtype: str) -> None:
    compare(name, np.array([[1, 0, 2], [2, 2, 1]]).astype(dtype), 1)
    torch = pytest.importorskip("torch")
    same(tc.tensor(3).cumsum(0), torch.tensor(3).cumsum(0))


def test_a_running_sum_of_many_numbers_loses_nothing() -> None:
    x = np.full(1_000_000, 0.1, np.float32)
    assert abs(tc.tensor(x).cumsum(0)[-1].item() - 1e6 * float(np.float32(0.1))) < 0.01


def test_max_and_min_of_two_tensors() -> None:
    a, b = tc.tensor([1.0, 5.0]), tc.tensor([3.0, 2.0])
    assert tc.max(a, b).tolist() == [3.0, 5.0]
    assert tc.min(a, b).tolist() == [1.0, 2.0]


def test_counting() -> None:
    compare("count_nonzero", [[0.0, 2.0, nan], [0.0, 0.0, -1.0]], 1)
    compare("count_nonzero", [[0, 2], [0, 1]])
