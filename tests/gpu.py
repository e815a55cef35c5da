"""CUDA for tests: CuPy where it finds a GPU, else the emulator, else the test is skipped and says why."""

from __future__ import annotations

import contextlib
import importlib.util
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from tinyconv.kernels.cuda.emulator import build
from tinyconv.kernels.cuda.emulator.cupy_stand_in import emulated_cuda


def finds_a_gpu() -> bool:
    """Whether CuPy is there and has a GPU to compute on."""
    if importlib.util.find_spec("cupy") is None:
        return False
    import cupy

    try:
        return bool(cupy.cuda.runtime.getDeviceCount())
    except cupy.cuda.runtime.CUDARuntimeError:
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
