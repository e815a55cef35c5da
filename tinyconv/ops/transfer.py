"""From one device, or one dtype, to another."""

from __future__ import annotations

from typing import Any

from tinyconv.autograd import Function
from tinyconv.device import device_of, to_device
from tinyconv.errors import ArgumentError
from tinyconv.ops.operands import astype
from tinyconv.tensor import Tensor


class Transfer(Function):
    """y = x on another device; the gradient travels back."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, device: str) -> Any:
        ctx.device = device_of(x.array)
        return to_device(x.array, device)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        return to(grad, ctx.device), None


def to(input: Tensor, *targets: Any, device: str | None = None, dtype: Any = None) -> Tensor:
    """Copy to a device (``"cpu"``, ``"cuda"``), convert to a dtype, or both; self if nothing changes.

    Examples
    --------
    >>> import tinyconv as tc
    >>> tc.ones(2).to("cpu", tc.float64).dtype
    dtype('float64')
    """
    for target in targets:
        if isinstance(target, str) and target.partition(":")[0] in ("cpu", "cuda"):
            device = target
        else:
            dtype, given = target, dtype
            if given is not None:
                raise ArgumentError("to", "the targets", targets, "at most a device and a dtype")
    if device is not None and device_of(input.array) != ("cuda:0" if device == "cuda" else device):
        input = Transfer.apply(input, device)
    wants_dtype = dtype is not None or None in targets or not (targets or device)
    return astype(input, dtype) if wants_dtype else input
