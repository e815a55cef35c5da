"""CuPy, or one clear error: what is missing on this machine, and what to install or do.

CuPy and CUDA tell of the same few troubles by a dozen kinds of exceptions and numbers. Whoever calls
them does so through `find_cupy`, `clear_errors` or `with_clear_errors`, so that all become a `DeviceError`.
"""

from __future__ import annotations

import contextlib
import functools
import re
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

from tinyconv.errors import DeviceError, OutOfMemoryError

INSTALL = "pip install 'tinyconv[gpu]' for CUDA 13, or 'tinyconv[gpu12]' for CUDA 12"

OLDEST = (14, 2)
"""The CuPy that has all that is used here; older ones lack names, and fail in the middle of a training."""

NOT_ENOUGH_MEMORY, FORKED, OLD_DRIVER, NO_GPU, NO_SUCH_GPU = 2, 3, 35, 100, 101
"""The numbers of cudaErrorMemoryAllocation, …InitializationError, …InsufficientDriver and so on."""

OF_CUDA = ("CUDARuntimeError", "CUDADriverError")
"""CuPy's errors with these numbers; those of CUDA's libraries have others."""

CUBLAS_HAS_NO_ROOM = (1, 3)
"""The numbers of CUBLAS_STATUS_NOT_INITIALIZED, which is what a full card gives, and ALLOC_FAILED."""

LIBRARIES = (
    "CUDA's own libraries and headers: pip install 'cupy-cuda13x[ctk]', or 'cupy-cuda12x[ctk]' for CUDA 12"
)

OF_LIBRARIES = re.compile(
    r"CuPy failed to load|Failed to find CUDA headers|lib(cu(?!da\.)|nv)\S+: cannot open shared object file"
    r"|DLL load failed while importing cu|.*(BUILTIN_OPERATION|nvrtc-builtins|cannot open source file)"
)
"""What CuPy says where they are missing; the exceptions are of several kinds, also Python's own."""

NO_ROOM = re.compile(r"std::bad_alloc|.*cudaErrorMemoryAllocation")
"""What CuPy's Thrust, which sorts, says as Python's own MemoryError or RuntimeError."""

OF_CUBLAS = {
    8: "a GPU that this cuBLAS knows",
    13: "the program to be started again: a kernel of cuBLAS failed, and the GPU refuses all further work",
}

ADVICE = {
    FORKED: "a process that was not forked from one that uses the GPU: multiprocessing_context='spawn'",
    34: "an NVIDIA driver: nvidia-smi, which comes with it, lists the GPUs",
    46: "a GPU that no other program has for itself: nvidia-smi shows who has it",
    NO_GPU: "an NVIDIA GPU: nvidia-smi lists them, and CUDA_VISIBLE_DEVICES may hide them",
    209: f"a CuPy that knows this GPU: {INSTALL}",
    700: "the program to be started again: a kernel left its arrays, and the GPU refuses all further work",
    719: "the program to be started again: a kernel failed, and the GPU refuses all further work",
    802: "the GPU's own system services to run: nvidia-smi shows its state",
    803: "one version of the NVIDIA driver: a restart of the machine loads the one that was installed last",
    804: "a driver made for this GPU, without CUDA's compatibility package",
}


def find_cupy(where: str, device: str = "cuda") -> ModuleType:
    """The module CuPy, if it can compute on `device`.

    Raises
    ------
    DeviceError
        If CuPy is missing, broken or too old, does not fit the driver, or finds no such GPU.
    """
    try:
        import cupy
    except ImportError as error:
        expected = f"CuPy to be installed: {INSTALL}"
        if getattr(error, "name", None) not in (None, "cupy") or "cupy" not in str(error):
            expected = f"a CuPy that works ({first_line(error)}): {INSTALL}, without other CuPy packages"
        raise DeviceError(where, "device", repr(str(device)), expected) from error
    if _is_too_old(cupy.__version__):
        expected = f"CuPy {OLDEST[0]}.{OLDEST[1]} or later, and not {cupy.__version__}: {INSTALL}"
        raise DeviceError(where, "device", repr(str(device)), expected)
    with clear_errors(where, device):
        count = int(cupy.cuda.runtime.getDeviceCount())
    index = int(device.partition(":")[2] or 0)
    if count == 0:
        raise DeviceError(where, "device", repr(str(device)), ADVICE[NO_GPU])
    if index >= count:
        raise DeviceError(where, "device", repr(str(device)), _one_of(count))
    found: ModuleType = cupy
    return found


@contextlib.contextmanager
def clear_errors(where: str, device: str = "cuda") -> Iterator[None]:
    """In this block, an exception of CuPy's becomes a `DeviceError` that says what to do."""
    try:
        yield
    except Exception as error:
        clear = explained(where, error, device)
        if clear is None:
            raise
        raise clear from error


def with_clear_errors(function: Callable[..., Any]) -> Callable[..., Any]:
    """`function`, an exception of CuPy's being explained by `clear_errors`."""

    @functools.wraps(function)
    def call(*args: Any, **options: Any) -> Any:
        try:
            return function(*args, **options)
        except Exception as error:
            clear = explained(function.__name__.strip("_"), error)
            if clear is None:
                raise
            raise clear from error

    return call


def explained(where: str, error: Exception, device: str = "cuda") -> DeviceError | None:
    """What an exception of CuPy's means here; None for any other exception."""
    line = first_line(error)
    if not (type(error).__module__.startswith(("cupy", "cuda.")) or _is_of_pythons_kinds(error, line)):
        return None
    if _is_for_want_of_memory(error, line):
        expected = "room for it: a smaller batch or network, tensors let go of, or another program's end"
        return OutOfMemoryError(where, "the GPU's memory", f"full ({line})", expected)
    return DeviceError(where, "device", repr(str(device)), f"{_advice(error, line)} ({line})")


def _is_of_pythons_kinds(error: Exception, line: str) -> bool:
    """Whether it is CuPy's all the same: a kind of Python's own, with a message of CuPy's."""
    if type(error) not in (ImportError, MemoryError, RuntimeError):
        return False
    return OF_LIBRARIES.match(line) is not None or NO_ROOM.match(line) is not None


def _is_for_want_of_memory(error: Exception, line: str) -> bool:
    name, status = type(error).__name__, getattr(error, "status", None)
    if type(error) in (MemoryError, RuntimeError):
        return NO_ROOM.match(line) is not None
    if name == "CUBLASError":
        return status in CUBLAS_HAS_NO_ROOM
    return name == "OutOfMemoryError" or (name in OF_CUDA and status == NOT_ENOUGH_MEMORY)


@functools.cache
def _is_too_old(version: str) -> bool:
    numbers = re.match(r"(\d+)\.(\d+)", version)
    return numbers is not None and tuple(map(int, numbers.groups())) < OLDEST


def _advice(error: Exception, line: str) -> str:
    name, status = type(error).__name__, getattr(error, "status", None)
    if name == "CUBLASError":
        return OF_CUBLAS.get(status or 0, "cuBLAS to work")
    status = status if name in OF_CUDA else None
    if status == OLD_DRIVER:
        return _driver_advice()
    if status == NO_SUCH_GPU:
        return _one_of(None)
    if status in ADVICE:
        return ADVICE[status]
    if name == "DynamicLibNotFoundError" or OF_LIBRARIES.match(line):
        return LIBRARIES
    if "gpu-architecture" in line or "INVALID_OPTION" in line:
        return f"a CuPy of a CUDA version that knows this GPU: {INSTALL}"
    return "a working GPU"


def _driver_advice() -> str:
    """The driver is older than CuPy's CUDA, or is not there at all, for which CUDA has the same number."""
    import cupy

    runtime = cupy.cuda.runtime
    driver, needed = (int(read()) for read in (runtime.driverGetVersion, runtime.runtimeGetVersion))
    if driver == 0:
        return ADVICE[34]
    return (
        f"an NVIDIA driver for CUDA {_version(needed)}, as this CuPy is: the driver here knows CUDA "
        f"{_version(driver)}; update it, or take the CuPy of an older CUDA: {INSTALL}"
    )


def _version(number: int) -> str:
    """12040 is 12.4."""
    return f"{number // 1000}.{number % 1000 // 10}"


def _one_of(count: int | None) -> str:
    if count == 1:
        return "'cuda:0', the only GPU here"
    last = "" if count is None else f": 'cuda:0' to 'cuda:{count - 1}'"
    return f"a GPU that is here{last}"


def first_line(error: Exception) -> str:
    """The line of a message that says what happened; CuPy frames some of its messages."""
    lines = [line.strip() for line in str(error).splitlines()]
    original = [line for line in lines if line.startswith(("ImportError:", "OSError:", "RuntimeError:"))]
    said = [line for line in lines if line.strip("=- ")]
    return next(iter([*original, *said]), type(error).__name__)
