"""CUDA for tests: CuPy where it finds a GPU, else the emulator, else the test is skipped and says why."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np
import pytest

import tinyconv as tc
from tinyconv.kernels.cuda.emulator import build
from tinyconv.kernels.cuda.emulator.cupy_stand_in import emulated_cuda


@cache  # asked again while the stand-in is there, CuPy would be that
def finds_a_gpu() -> bool:
    """Whether CuPy is there and has a GPU to compute on."""
    try:
        import cupy

        return bool(cupy.cuda.runtime.getDeviceCount())
    except Exception:  # CuPy is missing or broken, or has no driver: it raises several kinds
        return False


@contextlib.contextmanager
def gpu() -> Iterator[Any]:
    """CuPy, or what stands for it."""
    if finds_a_gpu():
        import cupy

        yield cupy
        return
    reason = build.why_not()
    if reason is not None:
        pytest.skip(f"no GPU, and {reason}")
    with emulated_cuda() as stand_in:
        yield stand_in


def to_gpu(cupy: Any, array: np.ndarray) -> Any:
    """A copy with the same strides, gaps included: `cupy.asarray` would put the axes in order."""
    owner = array
    while isinstance(owner.base, np.ndarray):
        owner = owner.base
    memory = cupy.asarray(np.ascontiguousarray(owner.reshape(-1, order="A")))
    if not array.size or owner.dtype != array.dtype or not owner.flags.forc:
        return cupy.asarray(array)
    offset = (array.__array_interface__["data"][0] - owner.__array_interface__["data"][0]) // array.itemsize
    return cupy.lib.stride_tricks.as_strided(memory[offset:], array.shape, array.strides)


def tensor(array: np.ndarray, requires_grad: bool = False) -> tc.Tensor:
    """A tensor on the default device, with the array's strides."""
    on_cpu = tc.get_default_device() == "cpu"
    return tc.Tensor(array if on_cpu else to_gpu(sys.modules["cupy"], array), requires_grad)


def placed(value: Any) -> Any:
    """A module or a tensor on the default device."""
    return value.to(tc.get_default_device())


def to_host(array: Any) -> np.ndarray:
    """The numbers of an array on any device, or a number."""
    return np.array(array.get() if hasattr(array, "get") else array)
