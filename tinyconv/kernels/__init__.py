"""Kernels: arrays in, arrays out. No autograd, no Tensor.

The room has three copies of the same files. `reference/` is the definition of right, plain
NumPy written to be read. `cpu/` holds fast twins in Numba, `cuda/` fast twins in CUDA C.
A function has the same name and signature wherever it stands; what a fast backend does not
have falls back to `reference`.

An op imports a file of this package and calls a function of it; the array's type and the
`kernel_backend` setting choose the implementation::

    from tinyconv.kernels import conv
    y = conv.conv(x, weight, bias, stride, padding, dilation, groups)

Numba takes longer to import than all of tinyconv, so a fast backend is imported when its
first kernel is called.
"""

from __future__ import annotations

import importlib
import importlib.util
import warnings
from collections.abc import Callable
from functools import cache, wraps
from typing import Any

import numpy as np

from tinyconv.device import kernel_backend, other_gpu
from tinyconv.device_errors import with_clear_errors

Kernel = Callable[..., Any]


class KernelFile:
    """One file of kernels, e.g. ``conv``; its functions dispatch on their first array."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, function: str) -> Kernel:
        if function.startswith("_"):
            raise AttributeError(function)
        file = self._name

        def dispatch(first: Any, /, *args: Any, **kwargs: Any) -> Any:
            return find_kernel(backend_of(first), file, function)(first, *args, **kwargs)

        dispatch.__name__ = dispatch.__qualname__ = function
        setattr(self, function, dispatch)
        return dispatch


_found: dict[tuple[str, str, str], Kernel] = {}


def find_kernel(backend: str, file: str, function: str) -> Kernel:
    """The implementation of ``file.function`` in `backend`, else the reference one."""
    key = (backend, file, function)
    kernel = _found.get(key)
    if kernel is None:
        kernel = _found[key] = _search(backend, file, function)
    return kernel


def _search(backend: str, file: str, function: str) -> Kernel:
    kernel = None
    if backend != "reference" and importlib.util.find_spec(f"{__name__}.{backend}.{file}"):
        kernel = getattr(importlib.import_module(f"{__name__}.{backend}.{file}"), function, None)
    if kernel is None:
        kernel = getattr(importlib.import_module(f"{__name__}.reference.{file}"), function)
    return with_clear_errors(on_the_gpu_of_its_arrays(kernel)) if backend == "cuda" else kernel


def on_the_gpu_of_its_arrays(kernel: Kernel) -> Kernel:
    """`kernel`, launched on the GPU that its first array lies on, which need not be the current one."""

    @wraps(kernel)
    def call(first: Any, /, *args: Any, **options: Any) -> Any:
        gpu = other_gpu(first[0] if isinstance(first, list | tuple) else first)
        if gpu is None:
            return kernel(first, *args, **options)
        with gpu:
            return kernel(first, *args, **options)

    return call


def backend_of(array: Any) -> str:
    """The backend that works on `array`: ``reference``, ``cpu`` or ``cuda``."""
    if kernel_backend.get() == "reference":
        return "reference"
    if isinstance(array, list | tuple):
        array = array[0]
    if not isinstance(array, np.ndarray):
        return "cuda"
    return "cpu" if numba_works() else "reference"


@cache
def numba_works() -> bool:
    """Whether Numba can be imported; where it is installed but broken, a warning says why."""
    if importlib.util.find_spec("numba") is None:
        return False
    try:
        importlib.import_module("numba")
    except Exception as error:  # it raises several kinds, e.g. for a NumPy that is too new for it
        reason = f"Numba does not work here ({error}); tinyconv goes on with NumPy alone, slowly"
        warnings.warn(reason, UserWarning, stacklevel=4)
        return False
    return True


FILES = (
    "activation",
    "adaptive_pooling",
    "binary_loss",
    "conv",
    "dropout",
    "elementwise",
    "fused",
    "fused_activation",
    "matmul",
    "norm",
    "optim",
    "padding",
    "pooling",
    "reduction",
    "resample",
    "roi_align",
    "shape",
    "softmax",
)

activation = KernelFile("activation")
adaptive_pooling = KernelFile("adaptive_pooling")
binary_loss = KernelFile("binary_loss")
conv = KernelFile("conv")
dropout = KernelFile("dropout")
elementwise = KernelFile("elementwise")
fused = KernelFile("fused")
fused_activation = KernelFile("fused_activation")
matmul = KernelFile("matmul")
norm = KernelFile("norm")
optim = KernelFile("optim")
padding = KernelFile("padding")
pooling = KernelFile("pooling")
reduction = KernelFile("reduction")
resample = KernelFile("resample")
roi_align = KernelFile("roi_align")
shape = KernelFile("shape")
softmax = KernelFile("softmax")
