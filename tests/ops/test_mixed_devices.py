"""Every op of two tensors or more refuses to mix devices, before anything is computed."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import tinyconv as tc
from tests.fake_cupy import FarArray
from tests.ops.calls import CALLS, arguments, call
from tinyconv.errors import DeviceError


def names_of_tensors(name: str) -> list[str]:
    """The arguments that are tensors; those of a list are one argument."""
    given = arguments(name)
    return [key for key, value in given.items() if isinstance(value, tc.Tensor)]


SEVERAL = sorted(name for name in CALLS if len(names_of_tensors(name)) > 1)
LISTS = {
    "broadcast_tensors": "tensors", "cat": "tensors", "column_stack": "tensors", "einsum": "operands",
    "hstack": "tensors", "meshgrid": "tensors", "stack": "tensors", "vstack": "tensors",
}  # fmt: skip
SHAPES_ONLY = ("expand_as", "view_as")
"""Of the other tensor these ask the shape alone; `normal` brings its numbers to the CPU first."""

PAIRS = [
    (name, key)
    for name in SEVERAL
    if name not in (*SHAPES_ONLY, "normal")
    for key in names_of_tensors(name)[1:]
]


@pytest.fixture(autouse=True)
def _cupy(monkeypatch: pytest.MonkeyPatch) -> None:
    if tc.get_default_device() == "cpu":
        monkeypatch.setitem(sys.modules, "cupy", ModuleType("cupy"))


def elsewhere(x: tc.Tensor) -> tc.Tensor:
    """On the CPU what is on a GPU, and the other way round."""
    return tc.Tensor(FarArray(x.array)) if x.device == "cpu" else x.cpu()


def refused(name: str, given: dict[str, Any]) -> None:
    with pytest.raises(DeviceError) as caught:
        call(name, given)
    assert caught.value.where == name
    assert "cpu" in str(caught.value)
    assert "cuda:0" in str(caught.value)


@pytest.mark.parametrize(("name", "argument"), PAIRS)
def test_tensors_on_two_devices_are_refused(name: str, argument: str) -> None:
    given = arguments(name)
    refused(name, {**given, argument: elsewhere(given[argument])})


@pytest.mark.parametrize(("name", "argument"), LISTS.items())
def test_lists_of_tensors_on_two_devices_are_refused(name: str, argument: str) -> None:
    given = arguments(name)
    *first, last = given[argument]
    refused(name, {**given, argument: (*first, elsewhere(last))})


def test_the_stand_in_is_an_array_elsewhere() -> None:
    assert tc.Tensor(FarArray(np.ones(3))).device == "cuda:0"
