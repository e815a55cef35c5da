"""Sorting with ties and NaN, masks, and what is not differentiated, against PyTorch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinyconv as tc
from tests.ops.test_arithmetic import both, same

NUMBERS = np.array([[2.0, np.nan, 1.0, 2.0, -np.inf, 1.0], [0.0, 0.0, np.inf, -1.0, np.nan, 5.0]])


@pytest.mark.parametrize("dim", (0, 1))
@pytest.mark.parametrize("descending", (False, True))
@pytest.mark.parametrize("values", (NUMBERS, np.array([[3, 1, 3], [1, 3, 3]])))
def test_sorting_keeps_the_order_of_ties(values: Any, dim: int, descending: bool) -> None:
    torch = pytest.importorskip("torch")
    (x,), (p,) = both(torch, values)
    for got, expected in zip(
        x.sort(dim, descending, stable=True), p.sort(stable=True, dim=dim, descending=descending), strict=True
    ):
        same(got, expected)
    same(x.argsort(dim, descending), p.argsort(dim=dim, descending=descending, stable=True))


def test_the_largest_and_smallest() -> None:
    torch = pytest.importorskip("torch")
    for largest in (True, False):
        same(
            tc.tensor(NUMBERS).topk(3, largest=largest)[0], torch.tensor(NUMBERS).topk(3, largest=largest)[0]
        )
    assert tc.tensor(NUMBERS).topk(0).values.shape == (2, 0)
    values, indices = tc.tensor(3.0).topk(1)
    assert (values.item(), indices.item(), values.shape) == (3.0, 0, ())
    assert tc.tensor(3.0).sort().values.shape == ()


def test_nonzero() -> None:
    torch = pytest.importorskip("torch")
    values = np.array([[0, 3, 0], [1, 0, 2]])
    same(tc.tensor(values).nonzero(), torch.tensor(values).nonzero())
    for got, expected in zip(
        tc.tensor(values).nonzero(as_tuple=True), torch.tensor(values).nonzero(as_tuple=True), strict=True
    ):
        same(got, expected)
    same(tc.tensor(5).nonzero(), torch.tensor(5).nonzero())
    same(tc.tensor(5).nonzero(as_tuple=True)[0], torch.tensor(5).nonzero(as_tuple=True)[0])


@pytest.mark.parametrize("dtype", ("float32", "int64", "uint8", "bool"))
def test_masked_fill_keeps_the_dtype(dtype: str) -> None:
    torch = pytest.importorskip("torch")
    values, mask = np.array([0, 1, 1]).astype(dtype), np.array([True, False, True])
    same(
        tc.tensor(values).masked_fill(tc.tensor(mask), 1),
        torch.tensor(values).masked_fill(torch.tensor(mask), 1),
    )


def test_masks_select_and_count() -> None:
    x = tc.arange(6.0).reshape(2, 3).requires_grad_()
    x[x > 2].sum().backward()
    assert x.grad.tolist() == [[0.0] * 3, [1.0] * 3]
    assert x[tc.tensor([False, True])].tolist() == [[3.0, 4.0, 5.0]]
    assert x.masked_select(tc.tensor([True, False, True])).tolist() == [0.0, 2.0, 3.0, 5.0]


def test_gather_without_dimensions() -> None:
    assert tc.tensor(4.0).gather(0, tc.tensor(0)).item() == 4.0
    assert tc.tensor(4.0).scatter_add(0, tc.tensor(0), tc.tensor(2.0)).item() == 6.0


def test_take_along_no_dim_takes_from_all_elements() -> None:
    x = tc.tensor([[3.0, 1.0], [2.0, 0.0]])
    assert x.take_along_dim(tc.tensor([[3, 0]])).tolist() == [0.0, 3.0]
    assert x.take_along_dim(x.argsort(1), 1).tolist() == [[1.0, 3.0], [0.0, 2.0]]


def test_scatter_makes_one_hot_vectors() -> None:
    torch = pytest.importorskip("torch")
    classes = np.array([[2], [0], [2]])
    same(
        tc.zeros(3, 4).scatter(1, tc.tensor(classes), 1),
        torch.zeros(3, 4).scatter(1, torch.tensor(classes), 1.0),
    )
    x = tc.zeros(3, 4)
    assert x.scatter_(1, tc.tensor(classes), 1.0) is x and x.argmax(1).tolist() == [2, 0, 2]
    assert tc.tensor(4.0).scatter(0, tc.tensor(0), tc.tensor(2.0)).item() == 2.0


def test_where_two_numbers_want_one_place_one_of_them_is_there_and_gets_the_gradient() -> None:
    src = tc.tensor([5.0, 7.0], requires_grad=True)
    y = tc.zeros(3).scatter(0, tc.tensor([1, 1]), src)
    y.sum().backward()
    assert y[1].item() in (5.0, 7.0)
    assert (src.grad * src.detach()).sum().item() == y[1].item()


def test_where_with_a_condition_only() -> None:
    rows, columns = tc.where(tc.eye(3) > 0)
    assert rows.tolist() == columns.tolist() == [0, 1, 2]
