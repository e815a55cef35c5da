"""`RawModule` and `RawKernel` of the stand-in: compiled with g++, launched with CUDA's checks."""

from __future__ import annotations

import ctypes
import re
import threading
from typing import Any

import numpy as np

from tinyconv.kernels.cuda.emulator import build, graphs
from tinyconv.kernels.cuda.emulator.arrays import live_memory, ndarray, unwrap
from tinyconv.kernels.cuda.emulator.card import ATTRIBUTES, CUDADriverError

MOST_IN_BLOCK = (1024, 1024, 64)
MOST_IN_GRID = (2**31 - 1, 65535, 65535)

_one_at_a_time = threading.Lock()


class CompileException(Exception):
    """Stands for `cupy.cuda.compiler.CompileException`."""


class KernelError(Exception):
    """What a kernel did that it must not: memory that is not its own, a barrier that some never reach."""


class Shape(ctypes.Structure):
    """Blocks of the grid, threads of a block, bytes of dynamic shared memory; as in emulator.h."""

    _fields_ = (
        ("grid", ctypes.c_uint * 3), ("block", ctypes.c_uint * 3), ("shared", ctypes.c_ulonglong)
    )  # fmt: skip


class RawModule:
    """Stands for `cupy.RawModule`."""

    def __init__(
        self,
        *,
        code: str,
        options: tuple[str, ...] = (),
        name_expressions: Any = None,
        backend: str = "nvrtc",
        **others: Any,
    ) -> None:
        self.code, self.options = code, options
        self.names = tuple(name_expressions or re.findall(r'extern "C"\s+__global__\s+void\s+(\w+)', code))
        self._library: ctypes.CDLL | None = None

    def compile(self, log_stream: Any = None) -> None:
        """Compile, unless the result is on disk."""
        folders = [option[2:] for option in self.options if option.startswith("-I")]
        try:
            self.path = build.library(self.code, self.names, folders)
        except build.CompileError as error:
            raise CompileException(str(error)) from None
        library = self._library = ctypes.CDLL(str(self.path))
        library.set_arrays.argtypes = ctypes.c_void_p, ctypes.c_size_t

    @property
    def library(self) -> ctypes.CDLL:
        if self._library is None:
            self.compile()
        return self._library  # type: ignore[return-value]

    def get_function(self, name: str) -> RawKernel:
        """The kernel of one of the names."""
        library = self.library
        if name not in self.names:
            raise CUDADriverError("CUDA_ERROR_NOT_FOUND: named symbol not found")
        return RawKernel(self, library, name, self.names.index(name))


class RawKernel:
    """Stands for `cupy.RawKernel`: ``kernel(grid, block, args, shared_mem=0)``."""

    def __init__(self, module: RawModule, library: ctypes.CDLL, name: str, number: int) -> None:
        self.name = self.__name__ = name
        self.max_dynamic_shared_size_bytes = 48 * 1024
        self._module, self._library = module, library
        self._launch = getattr(library, f"launch_{number}")
        self._launch.restype = ctypes.c_char_p
        self._launch.argtypes = ctypes.c_void_p, ctypes.c_void_p
        signature = getattr(library, f"signature_{number}")
        signature.restype = ctypes.c_char_p
        self.parameters = signature().decode().split()

    def __call__(
        self, grid: tuple[int, ...], block: tuple[int, ...], args: Any, *, shared_mem: int = 0, **others: Any
    ) -> None:
        shape = self._shape(grid, block, shared_mem)
        values = self._values(args)
        graphs.do(lambda: self._run(shape, values, args), self.name)

    def _run(self, shape: Shape, values: list[np.ndarray], args: Any) -> None:
        """Launch it; `args` are held on to, so that their memory is there."""
        places = (ctypes.c_void_p * max(1, len(values)))(*(value.ctypes.data for value in values))
        with _one_at_a_time:
            bounds = live_memory()
            self._library.set_arrays(bounds.ctypes.data, len(bounds))
            error = self._launch(ctypes.byref(shape), places)
        if error is not None:
            raise KernelError(f"{self.name}: {self._with_line(error.decode())}")

    def _shape(self, grid: tuple[int, ...], block: tuple[int, ...], shared_mem: int) -> Shape:
        grids = tuple(max(1, int(n)) for n in (*grid, 1, 1)[:3])
        blocks = tuple(max(1, int(n)) for n in (*block, 1, 1)[:3])
        too_many = np.prod(blocks) > ATTRIBUTES["MaxThreadsPerBlock"]
        limits = zip(grids + blocks, MOST_IN_GRID + MOST_IN_BLOCK, strict=True)
        if too_many or any(count > most for count, most in limits):
            raise CUDADriverError(
                f"CUDA_ERROR_INVALID_VALUE: invalid argument: {self.name} with grid {grids}, block {blocks}"
            )
        optin = ATTRIBUTES["MaxSharedMemoryPerBlockOptin"]
        if shared_mem > min(self.max_dynamic_shared_size_bytes, optin):
            raise CUDADriverError(
                f"CUDA_ERROR_INVALID_VALUE: invalid argument: {self.name} with {shared_mem} bytes of dynamic "
                f"shared memory (max_dynamic_shared_size_bytes is {self.max_dynamic_shared_size_bytes})"
            )
        three = ctypes.c_uint * 3
        return Shape(three(*grids), three(*blocks), shared_mem)

    def _values(self, args: Any) -> list[np.ndarray]:
        """The arguments as bytes, each checked against the kernel's parameter."""
        if len(args) != len(self.parameters):
            raise KernelError(f"{self.name} has {len(self.parameters)} parameters and was given {len(args)}")
        values = []
        for place, (parameter, value) in enumerate(zip(self.parameters, args, strict=True)):
            kind, data = _as_parameter(value)
            null = isinstance(value, int) and value == 0
            fits = kind == parameter or (parameter[0] == "*" and (null or kind == "p"))
            fits |= kind[0] == "*" and parameter[:2] in ("*v", "*s")
            fits |= kind[0] == "s" and parameter == f"s{data.nbytes}"
            fits |= kind in ("*b1", "*u1", "*i1") and parameter in ("*b1", "*u1", "*i1")
            if not fits:
                raise KernelError(f"{self.name}: parameter {place} is {parameter}, its argument is {kind}")
            values.append(data)
        return values

    def _with_line(self, error: str) -> str:
        found = re.search(r" \[code at (0x[0-9a-f]+)\]", error)
        if found is None:
            return error
        line = build.place_in_source(self._module.path, int(found[1], 16))
        return error.replace(found[0], f" ({line})" if line else "")


def _as_parameter(value: Any) -> tuple[str, np.ndarray]:
    """What CuPy hands over for an argument: its type as in emulator.h, and its bytes."""
    if isinstance(value, ndarray):
        return f"*{_kind(value.dtype)}", np.array([unwrap(value).ctypes.data], dtype=np.uint64)
    if hasattr(value, "ptr"):
        return "p", np.array([value.ptr], dtype=np.uint64)
    if value is None:
        raise TypeError("Unsupported type None: the pointer to no array is 0")
    if isinstance(value, np.ndarray):
        if value.size != 1:
            raise TypeError(
                f"You are trying to pass a numpy.ndarray of shape {value.shape} as a kernel parameter. "
                "Only numpy.ndarrays of size one can be passed by value."
            )
        return _kind(value.dtype), np.array(value)
    if isinstance(value, bool | np.bool_):
        return "b1", np.array(value)
    if isinstance(value, int):
        return "i8", np.array(value, dtype=np.int64)
    if isinstance(value, np.generic | float) and not isinstance(value, np.void):
        data = np.array(value)
        return _kind(data.dtype), data
    raise TypeError(f"Unsupported type {type(value)}")


def _kind(dtype: np.dtype[Any]) -> str:
    return f"s{dtype.itemsize}" if dtype.kind not in "biuf" else f"{dtype.kind}{dtype.itemsize}"
