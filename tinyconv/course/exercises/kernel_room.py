"""A student's CUDA kernel in the process that runs it: what the emulator compiled, called as CuPy would.

The student's process loads this file by itself, next to `child.py`.
"""

from __future__ import annotations

import ctypes
import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

APART = 1 << 16
"""So many numbers between two arrays: an index that is somewhat too large meets none of them."""

TYPES = {"float": (np.float32, ctypes.c_float), "int": (np.int32, ctypes.c_int)}


class KernelError(Exception):
    """What a thread did that it must not."""


class OutOfBoundsError(KernelError):
    """It has read or written outside of the arrays."""


class RaceError(KernelError):
    """It uses shared memory that another one has used since the last barrier."""


class BarrierError(KernelError):
    """It waits for others that never come."""


KINDS = {"outside of": OutOfBoundsError, "a race": RaceError, "divergent barrier": BarrierError}


class Shape(ctypes.Structure):
    """Blocks of the grid, threads of a block, bytes of dynamic shared memory."""

    _fields_ = (
        ("grid", ctypes.c_uint * 3), ("block", ctypes.c_uint * 3), ("shared", ctypes.c_ulonglong)
    )  # fmt: skip


class Kernel:
    """A compiled kernel: ``kernel(grid, block, *arguments)``.

    Parameters
    ----------
    library : str
        What `tinyconv.kernels.cuda.emulator.build.library` made.
    types : sequence of str
        Of the parameters, such as ``"const float*"`` and ``"int"``. The one pointer without ``const`` is
        what the kernel writes: a call returns a copy of it.
    """

    def __init__(self, library: str, types: Sequence[str]) -> None:
        loaded = ctypes.CDLL(library)
        self._set_arrays, self._launch = loaded.set_arrays, loaded.launch_0
        self._set_arrays.argtypes = ctypes.c_void_p, ctypes.c_size_t
        self._launch.argtypes, self._launch.restype = (ctypes.c_void_p, ctypes.c_void_p), ctypes.c_char_p
        self._types = list(types)

    def __call__(self, grid: Sequence[int], block: Sequence[int], *values: Any) -> Any:
        arrays = _lay_apart(
            [
                np.asarray(value, TYPES[kind.split()[-1].rstrip("*")][0])
                for kind, value in zip(self._types, values, strict=True)
                if kind.endswith("*")
            ]
        )
        bounds = np.array([(_address(a), _address(a) + a.nbytes) for a in arrays], np.uint64)
        pointers = iter(arrays)
        arguments: list[Any] = [
            ctypes.c_void_p(_address(next(pointers))) if kind.endswith("*") else TYPES[kind][1](value)
            for kind, value in zip(self._types, values, strict=True)
        ]
        places = (ctypes.c_void_p * len(arguments))(*(ctypes.addressof(a) for a in arguments))
        shape = Shape((ctypes.c_uint * 3)(*_three(grid)), (ctypes.c_uint * 3)(*_three(block)), 0)
        self._set_arrays(_address(bounds), len(bounds))
        told = self._launch(ctypes.addressof(shape), ctypes.addressof(places))
        if told is not None:
            raise _named(told.decode())
        written = [kind for kind in self._types if kind.endswith("*")]
        return next(a for a, kind in zip(arrays, written, strict=True) if "const" not in kind).copy()


def _lay_apart(arrays: Sequence[Any]) -> list[Any]:
    """Copies, row after row, in one piece of memory with room between them."""
    ends = list(itertools.accumulate(APART + array.size for array in arrays))
    room = np.zeros(ends[-1] + APART, np.float32)
    laid = []
    for array, end in zip(arrays, ends, strict=True):
        place = room[end - array.size : end].view(array.dtype).reshape(array.shape)
        place[...] = array
        laid.append(place)
    return laid


def _address(array: Any) -> int:
    return int(array.__array_interface__["data"][0])


def _three(sizes: Sequence[int]) -> tuple[int, int, int]:
    first, second, third = (*sizes, 1, 1)[:3]
    return first, second, third


def _named(told: str) -> KernelError:
    """The exception for what the emulator said."""
    return next((kind for words, kind in KINDS.items() if words in told), KernelError)(told)
