"""Functions that make tensors: values, dtypes, memory order, against PyTorch or by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinyconv as tc
from tests.ops.test_arithmetic import same

LIKE = (tc.zeros_like, tc.ones_like, tc.empty_like, tc.rand_like, tc.randn_like)


@pytest.mark.parametrize("make", LIKE, ids=lambda f: f.__name__)
def test_tensors_like_another(make: Any) -> None:
    channels_last = tc.Tensor(np.zeros((2, 4, 5, 3), np.float64).transpose(0, 3, 1, 2), requires_grad=True)
    x = make(channels_last)
    assert (x.shape, x.dtype, x.requires_grad) == ((2, 3, 4, 5), tc.float64, False)
    if make in LIKE[:3]:
        assert x.array.strides == channels_last.array.strides
    y = make(channels_last, dtype="float32", requires_grad=True)
    assert y.dtype == tc.float32 and y.requires_grad and not np.shares_memory(y.array, channels_last.array)


def test_zeros_and_ones_like_another() -> None:
    x = tc.tensor([[7.0, 8.0]])
    assert tc.zeros_like(x).tolist() == [[0.0, 0.0]] and tc.ones_like(x).tolist() == [[1.0, 1.0]]


def test_full_like() -> None:
    torch = pytest.importorskip("torch")
    for values, fill in ((np.ones(2), 3), (np.arange(2), 3), (np.array([True]), 1), (np.arange(2), True)):
        same(tc.full_like(tc.tensor(values), fill), torch.full_like(torch.tensor(values), fill))
    assert tc.full_like(tc.ones(2), float("inf")).tolist() == [np.inf] * 2


@pytest.mark.parametrize("args", ((0, 1, 5), (-1, 1, 4), (3, 3, 2), (2, -2, 1), (0, 1, 0), (0.5, 9.5, 100)))
def test_linspace(args: tuple[Any, ...]) -> None:
    torch = pytest.importorskip("torch")
    same(tc.linspace(*args), torch.linspace(*args))
    same(tc.linspace(*args, dtype="float64"), torch.linspace(*args, dtype=torch.float64))


def test_random_orders_and_numbers() -> None:
    order = tc.randperm(100)
    assert order.dtype == tc.int64 and sorted(order.tolist()) == list(range(100))
    assert order.tolist() != list(range(100))
    tc.manual_seed(0)
    assert tc.randperm(100).tolist() == order.tolist()
    normal = tc.randn_like(tc.zeros(100, 100)).numpy()
    assert abs(normal.mean()) < 0.05 and abs(normal.std() - 1) < 0.05
    uniform = tc.rand_like(tc.zeros(100, 100)).numpy()
    assert 0 <= uniform.min() and uniform.max() < 1 and abs(uniform.mean() - 0.5) < 0.02


def test_what_is_made_may_need_a_gradient() -> None:
    for x in (
        tc.arange(3.0, requires_grad=True),
        tc.eye(2, requires_grad=True),
        tc.linspace(0, 1, 3, requires_grad=True),
        tc.empty(2, requires_grad=True),
    ):
        assert x.requires_grad and x.is_leaf and x.dtype == tc.float32
    assert tc.empty(2, 3, dtype="float64").shape == (2, 3)


def test_dtypes_have_pytorchs_other_names() -> None:
    assert (tc.float, tc.double, tc.int, tc.long) == (tc.float32, tc.float64, tc.int32, tc.int64)
    assert tc.tensor([1, 0], dtype=tc.bool).tolist() == [True, False]
    assert tc.tensor([1.7], dtype=tc.long).tolist() == [1]
