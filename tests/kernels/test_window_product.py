"""The weight gradient as one matrix product, in all geometries and for the layers that take it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("numba")

from tests.kernels.conv_case import Case, channels_last
from tests.kernels.test_conv import FLOAT32_ERROR, ORDERS, cases, guarded
from tinyconv.device import num_threads
from tinyconv.kernels.cpu import _algorithm
from tinyconv.kernels.cpu import _planes as planes
from tinyconv.kernels.cpu._windows import Problem
from tinyconv.kernels.reference import conv as reference

Array = Any

FEW = (
    Case(16, 256, 512, 1, (4, 4), (3, 3), (2, 2), (1, 1), (1, 1)),
    Case(16, 64, 128, 1, (16, 16), (3, 3), (2, 2), (1, 1), (1, 1)),
    Case(16, 256, 512, 1, (4, 4), (1, 1), (2, 2), (0, 0), (1, 1)),
    Case(8, 512, 128, 1, (8, 8), (1, 1), (1, 1), (0, 0), (1, 1)),
    Case(2, 40, 56, 1, (12, 9), (3, 3), (1, 1), (2, 2), (2, 2)),
)
MANY = (
    Case(16, 3, 64, 1, (64, 64), (7, 7), (2, 2), (3, 3), (1, 1)),
    Case(16, 64, 128, 1, (56, 56), (3, 3), (2, 2), (1, 1), (1, 1)),
    Case(4, 64, 64, 1, (64, 64), (3, 3), (1, 1), (2, 2), (2, 2)),
    Case(16, 4, 4, 32, (28, 28), (3, 3), (1, 1), (1, 1), (1, 1)),
    Case(1, 2, 3, 1, (5, 5), (3, 3), (1, 1), (1, 1), (1, 1)),
)


def problem_of(case: Case) -> Problem:
    pairs = (case.kernel_size, case.stride, case.padding, case.dilation)
    size, channels = (case.batch, case.size, case.channels), (case.out_size, case.columns, case.groups)
    return Problem(*size, *channels, *pairs, False)  # type: ignore[arg-type]


def gradient(case: Case, x: Array, grad: Array) -> Array:
    return planes.weight_grad_planes(x, grad, case.kernel_size, *case.geometry)


def check(case: Case, order: Any) -> None:
    x, _, _, grad = case.arrays()
    guards: list[Array] = []
    got = gradient(case, *(guarded(order(array), guards) for array in (x, grad)))
    wide = (x.astype(np.float64), grad.astype(np.float64))
    expected = reference.conv_weight_grad(*wide, case.kernel_size, *case.geometry)
    sums = reference.conv_weight_grad(*map(abs, wide), case.kernel_size, *case.geometry)
    assert got.dtype == np.float32 and got.flags.c_contiguous
    allowed = FLOAT32_ERROR * abs(expected).max() + np.finfo(np.float32).eps * sums.max()
    assert abs(got - expected).max() <= allowed


@pytest.fixture(scope="module")
def always() -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(planes, "has_few_windows", lambda problem, itemsize: problem.groups == 1)
        patch.setattr(planes, "winograd_tile", lambda *_: _algorithm.DIRECT)
        yield


@settings(max_examples=60, deadline=None)
@given(case=cases().map(lambda case: case._replace(groups=1)), order=st.sampled_from(ORDERS))
def test_all_geometries_and_memory_orders(always: None, case: Case, order: Any) -> None:
    check(case, order)


@pytest.mark.parametrize("case", FEW, ids=str)
def test_layers_with_few_windows_take_it(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    taken = []
    by_product = planes.weight_grad_by_product
    monkeypatch.setattr(
        planes, "weight_grad_by_product", lambda *arguments: taken.append(1) or by_product(*arguments)
    )
    check(case, channels_last)
    assert taken


@pytest.mark.parametrize("case", MANY, ids=str)
def test_layers_with_many_windows_write_none(case: Case) -> None:
    assert not _algorithm.has_few_windows(problem_of(case), 4)


def test_float64_has_its_exact_way() -> None:
    assert _algorithm.has_few_windows(problem_of(FEW[0]), 4)
    assert not _algorithm.has_few_windows(problem_of(FEW[0]), 8)


@pytest.mark.parametrize("case", FEW[:3], ids=str)
def test_the_same_bits_with_any_number_of_threads(case: Case) -> None:
    x, _, _, grad = case.arrays()
    found = []
    for threads in (1, 2):
        with num_threads(threads):
            found.append(gradient(case, channels_last(x), channels_last(grad)))
    assert np.array_equal(*found)
