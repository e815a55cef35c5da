"""A machine without a working GPU gives one clear error, which says what to install or do."""

from __future__ import annotations

import builtins
import sys
from typing import Any

import numpy as np
import pytest

import tinyconv as tc
from tests.fake_cupy import (
    NO_GPU,
    OLD_DRIVER,
    CompileException,
    CUBLASError,
    CUDARuntimeError,
    DynamicLibNotFoundError,
    FarArray,
    NVRTCError,
    fake_cupy,
)
from tests.fake_cupy import OutOfMemoryError as CupyOutOfMemoryError
from tinyconv.device_errors import explained, with_clear_errors
from tinyconv.errors import DeviceError, OutOfMemoryError


def error_of_moving(cupy: Any, monkeypatch: pytest.MonkeyPatch, device: str = "cuda") -> DeviceError:
    """What `tc.ones(2).to(device)` raises with this CuPy; a message of one line."""
    monkeypatch.setitem(sys.modules, "cupy", cupy)
    with pytest.raises(DeviceError) as caught:
        tc.ones(2).to(device)
    assert "\n" not in str(caught.value) and f"to: device is '{device}'" in str(caught.value)
    return caught.value


def test_without_cupy_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    error = error_of_moving(None, monkeypatch)
    assert "CuPy to be installed: pip install 'tinyconv[gpu]' for CUDA 13" in str(error)


def test_a_cupy_that_cannot_be_imported_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    framed = """
================================================================
Failed to import CuPy.

Original error:
  ImportError: libcudart.so.12: cannot open shared object file: No such file or directory
================================================================
"""
    own_import = builtins.__import__

    def broken(name: str, *args: Any, **options: Any) -> Any:
        if name == "cupy":
            raise ImportError(framed)
        return own_import(name, *args, **options)

    monkeypatch.setattr(builtins, "__import__", broken)
    with pytest.raises(DeviceError, match=r"a CuPy that works .*libcudart.so.12.*pip install") as caught:
        tc.ones(2).to("cuda")
    assert "====" not in str(caught.value)


@pytest.mark.parametrize("version", ["13.6.0", "14.0.0rc1", "9.9.9", "14.1.1"])
def test_an_old_cupy_is_named(version: str, monkeypatch: pytest.MonkeyPatch) -> None:
    error = error_of_moving(fake_cupy(version=version), monkeypatch)
    assert f"CuPy 14.2 or later, and not {version}: pip install 'tinyconv[gpu]'" in str(error)


@pytest.mark.parametrize("version", ["14.2.0", "14.10.0", "15.0.0a1", "from a branch"])
def test_a_new_cupy_is_taken(version: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cupy", fake_cupy(version=version))
    assert tc.ones(2).to("cuda").device == "cuda:0"


GPUS = [
    (NO_GPU, {}, "an NVIDIA GPU: nvidia-smi lists them, and CUDA_VISIBLE_DEVICES may hide them"),
    (OLD_DRIVER, {"driver": 0}, "an NVIDIA driver: nvidia-smi, which comes with it, lists the GPUs"),
    (OLD_DRIVER, {"driver": 12040}, r"driver for CUDA 13\.0.*knows CUDA 12\.4; update it, or.*gpu12"),
    (3, {}, "multiprocessing_context='spawn'"),
    (34, {}, "an NVIDIA driver"),
    (999, {}, "a working GPU .cudaErrorUnknown"),
]


@pytest.mark.parametrize(("status", "versions", "says"), GPUS)
def test_what_cuda_answers_is_explained(
    status: int, versions: dict[str, int], says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    error = error_of_moving(fake_cupy(CUDARuntimeError(status), **versions), monkeypatch)
    with pytest.raises(DeviceError, match=says):
        raise error
    assert isinstance(error.__cause__, CUDARuntimeError)


def test_a_gpu_that_is_not_there_is_refused_by_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "expected 'cuda:0', the only GPU" in str(error_of_moving(fake_cupy(1), monkeypatch, "cuda:1"))
    assert "'cuda:0' to 'cuda:3'" in str(error_of_moving(fake_cupy(4), monkeypatch, "cuda:4"))
    assert "an NVIDIA GPU" in str(error_of_moving(fake_cupy(0), monkeypatch))


def test_an_array_that_does_not_fit_is_an_error_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    full = CupyOutOfMemoryError("Out of memory allocating 1,024 bytes (allocated so far: 512 bytes).")
    monkeypatch.setitem(sys.modules, "cupy", fake_cupy(copying=full))
    with pytest.raises(tc.cuda.OutOfMemoryError, match=r"1,024 bytes.*a smaller batch") as caught:
        tc.ones(2).to("cuda")
    assert isinstance(caught.value, DeviceError) and isinstance(caught.value, RuntimeError)


def test_kernels_explain_errors_of_cupy_and_leave_others_alone() -> None:
    def conv(error: Exception) -> None:
        """A kernel."""
        raise error

    kernel = with_clear_errors(conv)
    assert kernel.__name__ == "conv" and kernel.__doc__ == "A kernel."
    with pytest.raises(OutOfMemoryError, match="conv: the GPU's memory is full"):
        kernel(CUDARuntimeError(2))
    with pytest.raises(DeviceError, match="started again: a kernel left its arrays"):
        kernel(CUDARuntimeError(700))
    with pytest.raises(ValueError, match="shapes"):
        kernel(ValueError("shapes"))


CUBLAS = [
    (CUBLASError(1, "CUBLAS_STATUS_NOT_INITIALIZED"), OutOfMemoryError, "memory is full .CUBLAS_STATUS_NOT"),
    (CUBLASError(3, "CUBLAS_STATUS_ALLOC_FAILED"), OutOfMemoryError, "a smaller batch"),
    (CUBLASError(13, "CUBLAS_STATUS_EXECUTION_FAILED"), DeviceError, "a kernel of cuBLAS failed"),
    (CUBLASError(15, "CUBLAS_STATUS_NOT_SUPPORTED"), DeviceError, "cuBLAS to work .CUBLAS_STATUS_NOT_SUPP"),
    (NVRTCError(2, "NVRTC_ERROR_PROGRAM_CREATION_FAILURE"), DeviceError, "a working GPU .NVRTC_ERROR_PROG"),
    (NVRTCError(3, "NVRTC_ERROR_INVALID_INPUT"), DeviceError, "a working GPU .NVRTC_ERROR_INVALID_INPUT"),
]


@pytest.mark.parametrize(("error", "kind", "says"), CUBLAS, ids=lambda value: str(value)[:40])
def test_the_numbers_of_libraries_are_not_those_of_cuda(
    error: Exception, kind: type[DeviceError], says: str
) -> None:
    found = explained("matmul", error)
    assert type(found) is kind
    with pytest.raises(kind, match=says):
        raise found


CTK = r"libraries and headers: pip install 'cupy-cuda13x\[ctk\]', or 'cupy-cuda12x\[ctk\]'"
LIBRARIES = [
    (RuntimeError("CuPy failed to load libnvrtc.so.13: OSError: cannot open"), CTK),
    (RuntimeError("Failed to find CUDA headers. Please install CUDA toolkit headers"), CTK),
    (ImportError("libcublas.so.12: cannot open shared object file: No such file or directory"), CTK),
    (DynamicLibNotFoundError('Failure finding "libnvrtc.so"'), CTK),
    (CompileException('nvrtc: catastrophic error: cannot open source file "vector_types.h"'), CTK),
    (CompileException("nvrtc: error: failed to open libnvrtc-builtins.so.13.0"), CTK),
    (CompileException("nvrtc: error: invalid value for --gpu-architecture (-arch)"), "of a CUDA version"),
    (CUDARuntimeError(209), "a CuPy that knows this GPU"),
]


@pytest.mark.parametrize(("error", "says"), LIBRARIES)
def test_a_cupy_of_the_wrong_cuda_version_is_named(error: Exception, says: str) -> None:
    found = explained("relu", error)
    with pytest.raises(DeviceError, match=says):
        raise found if found is not None else error


FULL = [
    MemoryError("std::bad_alloc"),
    RuntimeError("radix_sort: failed on 2nd step: cudaErrorMemoryAllocation: out of memory"),
]


@pytest.mark.parametrize("error", FULL, ids=lambda error: type(error).__name__)
def test_a_sort_without_room_is_explained(error: Exception) -> None:
    """Thrust, which CuPy sorts with, raises Python's own kinds."""
    found = explained("sort", error)
    assert type(found) is OutOfMemoryError and "sort: the GPU's memory is full" in str(found)


OTHERS = [
    MemoryError(),
    MemoryError("Unable to allocate 8.00 EiB for an array"),
    RuntimeError("dictionary changed size during iteration"),
    ImportError("libpng.so.16: cannot open shared object file: No such file or directory"),
    ValueError("std::bad_alloc"),
]


@pytest.mark.parametrize("error", OTHERS, ids=str)
def test_what_is_not_of_the_gpu_is_left_alone(error: Exception) -> None:
    assert explained("sort", error) is None


def test_tensors_on_two_gpus_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cupy", fake_cupy(2))
    x, y, z = (tc.Tensor(array) for array in (FarArray(np.ones(2)), FarArray(np.ones(2), 1), np.ones(2)))
    for a, b, names in ((x, y, "cuda:0, cuda:1"), (z, y, "cpu, cuda:1")):
        with pytest.raises(DeviceError, match=f"{names}.*all tensors on one device: .*to.'cuda:") as caught:
            a + b
        place = names.split(", ")[names.startswith("cpu")]
        assert f"x.to('{place}') copies a tensor, model.to('{place}') moves a model" in str(caught.value)
