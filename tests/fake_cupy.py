"""Modules that stand for CuPy on machines where it does not work, each in its own way."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from types import ModuleType, SimpleNamespace
from typing import Any

OUT_OF_MEMORY, OLD_DRIVER, NO_GPU = 2, 35, 100

TEXTS = {
    OUT_OF_MEMORY: "cudaErrorMemoryAllocation: out of memory",
    3: "cudaErrorInitializationError: initialization error",
    34: "cudaErrorStubLibrary: CUDA driver is a stub library",
    OLD_DRIVER: "cudaErrorInsufficientDriver: CUDA driver version is insufficient for CUDA runtime version",
    NO_GPU: "cudaErrorNoDevice: no CUDA-capable device is detected",
    101: "cudaErrorInvalidDevice: invalid device ordinal",
    209: "cudaErrorNoKernelImageForDevice: no kernel image is available for execution on the device",
    700: "cudaErrorIllegalAddress: an illegal memory access was encountered",
    999: "cudaErrorUnknown: unknown error",
}


class CUDARuntimeError(RuntimeError):
    """CuPy's, which carries CUDA's number."""

    __module__ = "cupy_backends.cuda.api.runtime"

    def __init__(self, status: int) -> None:
        self.status = status
        super().__init__(TEXTS[status])


class CUBLASError(RuntimeError):
    """CuPy's, with cuBLAS's number, which means something else."""

    __module__ = "cupy_backends.cuda.libs.cublas"

    def __init__(self, status: int, text: str) -> None:
        self.status = status
        super().__init__(text)


class NVRTCError(RuntimeError):
    """CuPy's, with the compiler's number."""

    __module__ = "cupy_backends.cuda.libs.nvrtc"

    def __init__(self, status: int, text: str) -> None:
        self.status = status
        super().__init__(f"{text} ({status})")


class CompileException(Exception):
    """CuPy's, for a kernel that cannot be compiled."""

    __module__ = "cupy.cuda.compiler"


class DynamicLibNotFoundError(RuntimeError):
    """Of what looks for CUDA's libraries for CuPy."""

    __module__ = "cuda.pathfinder._dynamic_libs.load_dl_common"


class OutOfMemoryError(MemoryError):
    """CuPy's, for an array that its memory pool cannot get."""

    __module__ = "cupy.cuda.memory"


class FarArray:
    """Stands for an array on a GPU: it tells what it is, and cannot be computed with."""

    __module__ = "cupy.stand_in"
    base = None

    def __init__(self, array: Any, index: int = 0) -> None:
        self.dtype, self.shape, self.ndim, self.size = array.dtype, array.shape, array.ndim, array.size
        self.strides, self.flags = array.strides, array.flags
        self.device = SimpleNamespace(id=index)


def fake_cupy(
    devices: int | Exception = 1,
    copying: Exception | None = None,
    driver: int = 13000,
    runtime: int = 13000,
    version: str = "14.2.0",
) -> ModuleType:
    """A module with this many GPUs, or this error in the place of their number; `copying` fails so."""

    @contextlib.contextmanager
    def device(index: int) -> Iterator[None]:
        yield

    def count() -> int:
        if isinstance(devices, Exception):
            raise devices
        return devices

    def asarray(array: Any, blocking: bool = False) -> Any:
        if copying is not None:
            raise copying
        return FarArray(array)

    cupy: Any = ModuleType("cupy")
    cupy.__version__ = version
    numbers = SimpleNamespace(
        getDeviceCount=count, driverGetVersion=lambda: driver, runtimeGetVersion=lambda: runtime
    )
    cupy.cuda = SimpleNamespace(Device=device, runtime=numbers)
    cupy.asarray = asarray
    module: ModuleType = cupy
    return module
