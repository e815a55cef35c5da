"""From one device, or one dtype, to another."""

from __future__ import annotations

from typing import Any

from tinyconv.autograd import Function
from tinyconv.device import check_dtype, device_of, to_device
from tinyconv.errors import ArgumentError, DeviceError
from tinyconv.ops._checks import check_flags, check_tensor
from tinyconv.ops.operands import astype
from tinyconv.ops.shape import contiguous
from tinyconv.tensor import Tensor


class Transfer(Function):
    """y = x on another device; the gradient travels back."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, device: str, non_blocking: bool) -> Any:
        ctx.device = device_of(x.array)
        return to_device(x.array, device, non_blocking)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        return to(grad, ctx.device), None, None


def to(
    input: Tensor,
    *targets: Any,
    device: str | None = None,
    dtype: Any = None,
    non_blocking: bool = False,
    copy: bool = False,
    memory_format: str | None = None,
) -> Tensor:
    """Copy to a device (``"cpu"``, ``"cuda"``), convert to a dtype, or both; self if nothing changes.

    Parameters
    ----------
    input : Tensor
    *targets
        A device, a dtype, or both; or a Tensor, whose device and dtype are meant.
    device : str, optional
    dtype : optional
    non_blocking : bool
        Do not wait for the end of a copy from pinned memory (`Tensor.pin_memory`) to a GPU: what is given
        to the GPU later comes after it. Until it is done, the tensor must not be changed.
    copy : bool
        Copy even if nothing changes.
    memory_format : str, optional
        ``tc.channels_last`` or ``tc.contiguous_format``, see `contiguous`.

    Examples
    --------
    >>> import tinyconv as tc
    >>> tc.ones(2).to("cpu", tc.float64).dtype
    dtype('float64')
    """
    check_flags("to", non_blocking=non_blocking, copy=copy)
    check_tensor("to", "input", input)
    if len(targets) == 1 and isinstance(targets[0], Tensor):
        targets = (device_of(targets[0].array), targets[0].dtype)
    for target in targets:
        if isinstance(target, str) and target.partition(":")[0] in ("cpu", "cuda"):
            device = target
        else:
            dtype, given = target, dtype
            if given is not None:
                raise ArgumentError("to", "the targets", targets, "at most a device and a dtype")
    if device is not None and not isinstance(device, str):
        raise DeviceError("to", "device", repr(device), "'cpu', 'cuda' or 'cuda:0'")
    output = input if device is None else moved(input, device, non_blocking)
    wants_dtype = dtype is not None or None in targets or not (targets or device or memory_format or copy)
    output = astype(output, check_dtype("to", dtype)) if wants_dtype else output
    output = output if memory_format is None else contiguous(output, memory_format)
    return output.clone() if copy and output is input else output


def moved(input: Tensor, device: str, non_blocking: bool = False) -> Tensor:
    """`input` on `device`; itself if it is there."""
    there = device_of(input.array) == ("cuda:0" if device == "cuda" else device)
    return input if there else Transfer.apply(input, device, non_blocking)
