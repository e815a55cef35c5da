"""Functions that make new tensors like a given one: its shape, its dtype, its device.

Each takes ``dtype``, ``device`` and ``requires_grad`` to differ from it. The tensors made are no
part of the graph of the given one.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyconv.device import array_module, check_dtype, to_device
from tinyconv.errors import ArgumentError
from tinyconv.ops._checks import check_flags, check_number, check_tensor
from tinyconv.recorder import repeated
from tinyconv.tensor import Tensor


@repeated
def zeros_like(
    input: Tensor, dtype: Any = None, device: str | None = None, requires_grad: bool = False
) -> Tensor:
    """Zeros with the shape, dtype, device and memory order of `input`."""
    check_flags("zeros_like", requires_grad=requires_grad)
    return _filled("zeros_like", input, 0, dtype, device, requires_grad)


@repeated
def ones_like(
    input: Tensor, dtype: Any = None, device: str | None = None, requires_grad: bool = False
) -> Tensor:
    """Ones with the shape, dtype, device and memory order of `input`."""
    check_flags("ones_like", requires_grad=requires_grad)
    return _filled("ones_like", input, 1, dtype, device, requires_grad)


@repeated
def full_like(
    input: Tensor,
    fill_value: float,
    dtype: Any = None,
    device: str | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """Every element `fill_value`, with the shape, dtype, device and memory order of `input`.

    Examples
    --------
    >>> import tinyconv as tc
    >>> tc.full_like(tc.zeros(2), 7).tolist()
    [7.0, 7.0]
    """
    check_flags("full_like", requires_grad=requires_grad)
    if not isinstance(fill_value, bool):
        number = check_number("full_like", "fill_value", fill_value)
        kind = _dtype("full_like", input, dtype).kind
        if kind != "f" and not number.is_integer():
            raise ArgumentError("full_like", "fill_value", fill_value, "a whole number for this dtype")
    return _filled("full_like", input, fill_value, dtype, device, requires_grad)


@repeated
def empty_like(
    input: Tensor, dtype: Any = None, device: str | None = None, requires_grad: bool = False
) -> Tensor:
    """Memory for the shape, dtype, device and memory order of `input`: to be written to first."""
    check_flags("empty_like", requires_grad=requires_grad)
    target = _dtype("empty_like", input, dtype)
    array = array_module(input.array).empty_like(input.array, dtype=target)
    return Tensor(array if device is None else to_device(array, device), requires_grad)


def _dtype(op: str, input: Tensor, dtype: Any) -> np.dtype[Any]:
    own = check_tensor(op, "input", input).dtype
    return own if dtype is None else check_dtype(op, dtype)


def _filled(
    op: str, input: Tensor, value: float, dtype: Any, device: str | None, requires_grad: bool
) -> Tensor:
    target = _dtype(op, input, dtype)
    array = array_module(input.array).full_like(input.array, value, dtype=target)
    return Tensor(array if device is None else to_device(array, device), requires_grad)
