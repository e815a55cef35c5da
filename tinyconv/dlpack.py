"""DLPack: tensors that share memory with those of other libraries, without a copy.

The protocol is the array API's: whoever has data offers ``__dlpack__`` and ``__dlpack_device__``,
whoever wants it calls them (https://dmlc.github.io/dlpack).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyconv.device import is_number
from tinyconv.errors import ArgumentError, DeviceError, DtypeError, GraphError
from tinyconv.tensor import Tensor

CPU, CUDA, CUDA_HOST = 1, 2, 3
"""Kinds of device, as DLPack numbers them."""


def from_dlpack(x: Any) -> Tensor:
    """A tensor that shares memory with `x`, an array or tensor of any library that speaks DLPack.

    Parameters
    ----------
    x
        Any object with ``__dlpack__`` and ``__dlpack_device__``: of NumPy, PyTorch, CuPy, JAX, …

    Raises
    ------
    DtypeError
        If `x` does not speak DLPack, or holds complex numbers.
    ArgumentError
        If its owner refuses to share, or NumPy has no such dtype (bfloat16).
    DeviceError
        If it lives where tinyconv has no arrays.

    Examples
    --------
    >>> import numpy as np
    >>> import tinyconv as tc
    >>> array = np.zeros(3)
    >>> tc.from_dlpack(array).fill_(1)
    tensor([1., 1., 1.], dtype=float64)
    >>> array.tolist()
    [1.0, 1.0, 1.0]
    """
    if not hasattr(x, "__dlpack__") or not hasattr(x, "__dlpack_device__"):
        raise DtypeError("from_dlpack", "x", f"a {type(x).__name__}", "an object with __dlpack__")
    if isinstance(x, Tensor):
        return _checked_export("from_dlpack", x).detach()
    module = _module_of(x)
    try:
        array = module.from_dlpack(x)
    except (BufferError, RuntimeError, TypeError, ValueError) as error:
        expected = f"data that can be shared ({error})"
        raise ArgumentError("from_dlpack", "x", f"a {type(x).__name__}", expected) from error
    if not is_number(array.dtype):
        raise DtypeError("from_dlpack", "x", f"of dtype {array.dtype}", "float32, float64, integers or bool")
    return Tensor(array)


def _module_of(x: Any) -> Any:
    kind = int(x.__dlpack_device__()[0])
    if kind in (CPU, CUDA_HOST):
        return np
    if kind != CUDA:
        raise DeviceError("from_dlpack", "x's device", f"of DLPack's kind {kind}", "the CPU or CUDA")
    try:
        import cupy
    except ImportError as error:
        raise DeviceError("from_dlpack", "x's device", "cuda", "CuPy, which is not installed") from error
    return cupy


def export(tensor: Tensor, **options: Any) -> Any:
    """The capsule that ``tensor.__dlpack__()`` gives."""
    array = _checked_export("__dlpack__", tensor).array
    if any(step < 0 for step in array.strides):  # DLPack allows them, PyTorch aborts
        raise ArgumentError("__dlpack__", "the tensor", "a reversed view", "tensor.contiguous()")
    try:
        return array.__dlpack__(**options)
    except BufferError as error:
        raise ArgumentError("__dlpack__", "the tensor", f"not shareable ({error})", "a clone()") from error


def _checked_export(where: str, tensor: Tensor) -> Tensor:
    if tensor.requires_grad:
        raise GraphError(where, "the tensor", "part of a graph", "tensor.detach()")
    return tensor


def device_of(tensor: Tensor) -> tuple[int, int]:
    """What ``tensor.__dlpack_device__()`` gives: the kind of device, and its number."""
    kind, number = tensor.array.__dlpack_device__()
    return int(kind), int(number)
