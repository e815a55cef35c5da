"""Methods that ask about a tensor's memory or make another tensor for it, by PyTorch's names."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyconv.cuda.pinned import is_pinned as array_is_pinned
from tinyconv.cuda.pinned import pinned
from tinyconv.device import array_module, check_dtype, int8, int16, uint8
from tinyconv.errors import ArgumentError, DeviceError
from tinyconv.ops import creation
from tinyconv.ops._checks import check_tensor
from tinyconv.ops.numpy_names import numpy_names
from tinyconv.ops.operands import astype
from tinyconv.ops.shape import is_contiguous, reshape
from tinyconv.tensor import Tensor


def type(input: Tensor, dtype: Any = None) -> Any:
    """`input` converted to `dtype`; without one, the name of its dtype, e.g. ``"float32"``."""
    return input.dtype.name if dtype is None else astype(input, check_dtype("type", dtype))


def new_tensor(
    input: Tensor, data: Any, dtype: Any = None, device: str | None = None, requires_grad: bool = False
) -> Tensor:
    """A tensor with a copy of `data`, of the dtype and on the device of `input`."""
    return creation.tensor(data, *_like(input, dtype, device), requires_grad)


def new_zeros(
    input: Tensor, *size: Any, dtype: Any = None, device: str | None = None, requires_grad: bool = False
) -> Tensor:
    """Zeros of the shape `size`, of the dtype and on the device of `input`."""
    target, place = _like(input, dtype, device)
    return creation.zeros(*size, dtype=target, device=place, requires_grad=requires_grad)


def new_ones(
    input: Tensor, *size: Any, dtype: Any = None, device: str | None = None, requires_grad: bool = False
) -> Tensor:
    """Ones of the shape `size`, of the dtype and on the device of `input`."""
    target, place = _like(input, dtype, device)
    return creation.ones(*size, dtype=target, device=place, requires_grad=requires_grad)


def new_empty(
    input: Tensor, *size: Any, dtype: Any = None, device: str | None = None, requires_grad: bool = False
) -> Tensor:
    """Memory for the shape `size`, of the dtype and on the device of `input`: to be written to first."""
    target, place = _like(input, dtype, device)
    return creation.empty(*size, dtype=target, device=place, requires_grad=requires_grad)


def new_full(
    input: Tensor,
    size: Any,
    fill_value: float,
    dtype: Any = None,
    device: str | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """`fill_value` in the shape `size`, of the dtype and on the device of `input`."""
    target, place = _like(input, dtype, device)
    return creation.full(size, fill_value, target, place, requires_grad)


def _like(input: Tensor, dtype: Any, device: str | None) -> tuple[Any, str]:
    return input.dtype if dtype is None else dtype, input.device if device is None else device


def reshape_as(input: Tensor, other: Tensor) -> Tensor:
    """`input` reshaped to the shape of `other`."""
    return reshape(input, check_tensor("reshape_as", "other", other).shape)


@numpy_names
def stride(input: Tensor, dim: int | None = None) -> Any:
    """How many elements apart neighbours along each dimension lie in memory, or along `dim`."""
    strides = tuple(step // input.array.itemsize for step in input.array.strides)
    if dim is not None and not (isinstance(dim, int) and -input.ndim <= dim < input.ndim):
        raise ArgumentError("stride", "dim", repr(dim), f"a dimension of {input.shape}")
    return strides if dim is None else strides[dim]


def data_ptr(input: Tensor) -> int:
    """The address of the first element."""
    array = input.array
    return int(array.ctypes.data if isinstance(array, np.ndarray) else array.data.ptr)


def element_size(input: Tensor) -> int:
    """Bytes of one element."""
    return int(input.array.itemsize)


def is_floating_point(input: Tensor) -> bool:
    """Whether the elements are floats."""
    return check_tensor("is_floating_point", "input", input).dtype.kind == "f"


def is_tensor(obj: Any) -> bool:
    """Whether `obj` is a Tensor."""
    return isinstance(obj, Tensor)


def numel(input: Tensor) -> int:
    """Number of elements."""
    return check_tensor("numel", "input", input).numel()


def get_device(input: Tensor) -> int:
    """The number of the graphics card; -1 on the CPU."""
    return int(input.device.partition(":")[2] or -1)


def pin_memory(input: Tensor) -> Tensor:
    """A copy in memory that a graphics card can read by itself; the tensor as it is without a card.

    Raises
    ------
    DeviceError
        If the tensor is on a card.
    """
    if array_module(input.array) is not np:
        raise DeviceError("pin_memory", "the tensor's device", input.device, "the CPU")
    array = pinned(input.array)
    return input if array is input.array else Tensor(array)


def is_pinned(input: Tensor) -> bool:
    """Whether the tensor is in memory that a graphics card can read by itself."""
    return array_module(input.array) is np and array_is_pinned(input.array)


def detach_(input: Tensor) -> Tensor:
    """Take the tensor out of the graph, in place."""
    input.grad_fn, input.hooks, input.requires_grad = None, None, False
    return input


def contains(input: Tensor, value: Any) -> bool:
    """Whether an element equals `value`."""
    return bool((input == value).any())


METHODS = {
    "type": type,
    "new_tensor": new_tensor,
    "new_zeros": new_zeros,
    "new_ones": new_ones,
    "new_empty": new_empty,
    "new_full": new_full,
    "reshape_as": reshape_as,
    "stride": stride,
    "data_ptr": data_ptr,
    "element_size": element_size,
    "is_contiguous": is_contiguous,
    "is_floating_point": is_floating_point,
    "get_device": get_device,
    "pin_memory": pin_memory,
    "is_pinned": is_pinned,
    "detach_": detach_,
    "__contains__": contains,
    "short": lambda input: astype(input, int16),
    "char": lambda input: astype(input, int8),
    "byte": lambda input: astype(input, uint8),
    "is_cuda": property(lambda input: input.device.startswith("cuda")),
    "itemsize": property(element_size),
    "nbytes": property(lambda input: int(input.array.nbytes)),
}
