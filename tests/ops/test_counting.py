"""Counting, looking up, medians with nan, and the dtypes of reductions, against PyTorch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinyconv as tc
from tests.ops.test_arithmetic import same

RNG = np.random.default_rng(0)
FLOATS, INTS = RNG.standard_normal((4, 6)), RNG.integers(0, 5, 20)


def test_counts() -> None:
    torch = pytest.importorskip("torch")
    weights = RNG.standard_normal(20).astype(np.float32)
    ours, theirs = tc.tensor(INTS), torch.tensor(INTS)
    same(tc.bincount(ours), torch.bincount(theirs))
    same(tc.bincount(ours, minlength=9), torch.bincount(theirs, minlength=9))
    assert tc.zeros(0, dtype="int64").bincount(minlength=2).tolist() == [0, 0]
    got, expected = tc.bincount(ours, tc.tensor(weights)), torch.bincount(theirs, torch.tensor(weights))
    np.testing.assert_allclose(got.numpy(), expected.numpy(), atol=1e-6)
    for options in ({"bins": 4}, {"bins": 5, "min": -1, "max": 1}, {"bins": 3, "min": 2, "max": 2}):
        same(tc.histc(tc.tensor(FLOATS), **options), torch.histc(torch.tensor(FLOATS), **options))
    same(tc.ones(5).histc(3), torch.ones(5).histc(3))


@pytest.mark.parametrize("dim", (None, 0, 1))
def test_different_elements(dim: int | None) -> None:
    torch = pytest.importorskip("torch")
    array = RNG.integers(0, 2, (6, 3))
    options = {"return_inverse": True, "return_counts": True, "dim": dim}
    for got, value in zip(
        tc.unique(tc.tensor(array), **options), torch.unique(torch.tensor(array), **options), strict=True
    ):
        same(got, value)
    same(tc.tensor(array).unique(), torch.tensor(array).unique())


@pytest.mark.parametrize("right", (False, True))
def test_places_among_sorted_numbers(right: bool) -> None:
    torch = pytest.importorskip("torch")
    line, values = np.array([0, 1, 1, 3]), np.array([[-1, 0, 1], [2, 3, 4]])
    found = torch.searchsorted(torch.tensor(line), torch.tensor(values), right=right)
    same(tc.searchsorted(tc.tensor(line), tc.tensor(values), right=right), found)
    found = torch.bucketize(torch.tensor(values), torch.tensor(line), right=right)
    same(tc.bucketize(tc.tensor(values), tc.tensor(line), right=right), found)
    assert tc.searchsorted(tc.tensor(line), 1).item() == 1
    same(tc.isin(tc.tensor(values), tc.tensor(line)), torch.isin(torch.tensor(values), torch.tensor(line)))


def test_nan_is_the_median_and_the_quantile() -> None:
    torch = pytest.importorskip("torch")
    array = FLOATS.copy()
    array[1, 2] = np.nan
    ours, theirs = tc.tensor(array), torch.tensor(array)
    for got, value in zip(ours.median(1), theirs.median(1), strict=True):
        same(got, value)
    same(ours.median(), theirs.median())
    np.testing.assert_allclose(ours.quantile(0.3, 0).numpy(), theirs.quantile(0.3, 0).numpy(), atol=1e-12)
    same(tc.tensor([3, 1, 2, 9]).median(), torch.tensor([3, 1, 2, 9]).median())
    same(ours.nansum(1) > 0, theirs.nansum(1) > 0)
    nearest = tc.tensor(FLOATS).quantile(0.37, 1, interpolation="nearest").numpy()
    expected = torch.tensor(FLOATS).quantile(0.37, 1, interpolation="nearest")
    np.testing.assert_allclose(nearest, expected.numpy(), atol=1e-12)


REDUCTIONS = [
    (name, kind, dtype)
    for name in ("sum", "prod", "mean", "cumsum", "cumprod")
    for kind in ("uint8", "int32", "int64", "bool", "float32")
    for dtype in (None, "float64", "int32")
    if name != "mean" or (dtype or kind).startswith("float")
]


@pytest.mark.parametrize(("name", "kind", "dtype"), REDUCTIONS)
def test_the_dtype_of_a_reduction(name: str, kind: str, dtype: str | None) -> None:
    torch = pytest.importorskip("torch")
    array = np.array([1, 0, 200, 100] if kind == "uint8" else [1, 0, 3, 1]).astype(kind)
    place = (0,) if name.startswith("cum") else ()
    got = getattr(tc, name)(tc.tensor(array), *place, dtype=dtype)
    same(got, getattr(torch, name)(torch.tensor(array), *place, dtype=dtype and getattr(torch, dtype)))


@pytest.mark.parametrize("mode", ("floor", "trunc"))
@pytest.mark.parametrize("dtype", ("int64", "float64"))
def test_whole_division(mode: str, dtype: str) -> None:
    torch = pytest.importorskip("torch")
    a, b = (x.reshape(-1).astype(dtype) for x in np.meshgrid([-7, -3, 0, 3, 7], [-3, -1, 1, 3]))
    expected = torch.div(torch.tensor(a), torch.tensor(b), rounding_mode=mode)
    same(tc.div(tc.tensor(a), tc.tensor(b), rounding_mode=mode), expected)
    same(tc.tensor(a).fmod(tc.tensor(b)), torch.tensor(a).fmod(torch.tensor(b)))


def test_numbers_in_place_of_nan_and_infinity() -> None:
    torch = pytest.importorskip("torch")
    array = np.array([np.nan, np.inf, -np.inf, 1.5], np.float32)
    options: tuple[dict[str, Any], ...] = ({}, {"nan": 7.0}, {"posinf": 1.0, "neginf": -1.0})
    for given in options:
        same(tc.tensor(array).nan_to_num(**given), torch.tensor(array).nan_to_num(**given))
    assert tc.arange(2).nan_to_num().tolist() == [0, 1]


def test_of_repeated_places_the_last_counts() -> None:
    x = tc.zeros(3).index_copy(0, tc.tensor([1, 1]), tc.tensor([5.0, 7.0]))
    assert x.tolist() == [0, 7, 0]


def test_other_names_are_the_same_functions() -> None:
    from tinyconv.ops import aliases

    torch = pytest.importorskip("torch")
    for name in aliases.__all__:
        assert hasattr(torch, name) and getattr(tc, name) is getattr(tc, getattr(aliases, name).__name__)
        assert name.startswith("concat") or getattr(tc.Tensor, name) is getattr(tc, name)
