"""Padding and cropping the borders of a tensor.

With zeros, the gradient of padding is cropping and the other way round. The other modes copy
elements of the input: their gradient adds up where an element was copied more than once.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyconv.autograd import Function
from tinyconv.errors import ArgumentError, ShapeError
from tinyconv.kernels import padding as kernels
from tinyconv.ops._checks import check_choice, check_number, check_tensor, is_int
from tinyconv.ops.resample import Resample
from tinyconv.tensor import Tensor

Widths = tuple[tuple[int, int], ...]
MODES = ("constant", "reflect", "replicate", "circular")


class Pad(Function):
    """y = x with a constant around it, or without its borders where a width is negative."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, widths: Widths, value: float) -> Any:
        ctx.back = tuple((-before, -after) for before, after in widths)
        return kernels.pad(x.array, widths, value)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        return Pad.apply(grad, ctx.back, 0.0), None, None


def pad(input: Tensor, pad: tuple[int, ...], mode: str = "constant", value: float | None = None) -> Tensor:
    """Add elements around the last dimensions, or with negative numbers take some away.

    Parameters
    ----------
    input : Tensor
        For ``"constant"`` of any shape; for the other modes the last one, two or three dimensions
        are padded, behind (N, C) or (C).
    pad : tuple of int
        (before, after) of the last dimension, then of the one before it, and so on: an image is
        padded by (left, right, top, bottom).
    mode : str
        ``"constant"``: `value` everywhere; ``"reflect"``: mirrored at the border pixel, which is not
        repeated; ``"replicate"``: the border pixel repeated; ``"circular"``: the other side's pixels.
    value : float, optional
        What to fill with in mode ``"constant"``; 0 by default.

    Raises
    ------
    ArgumentError, ShapeError
        If `pad` does not fit the dimensions, reaches further than the input can be mirrored
        (size - 1) or wrapped around (what cropping leaves), or crops more than there is.

    Examples
    --------
    >>> import tinyconv as tc
    >>> import tinyconv.nn.functional as F
    >>> row = tc.tensor([[1.0, 2.0, 3.0]])
    >>> F.pad(row, (2, 1), "reflect").tolist(), F.pad(row, (1, -1)).tolist()
    ([[3.0, 2.0, 1.0, 2.0, 3.0, 2.0]], [[0.0, 1.0, 2.0]])
    """
    check_tensor("pad", "input", input)
    check_choice("pad", "mode", mode, MODES)
    widths = _check_widths(pad, input)
    if mode == "constant":
        return Pad.apply(input, widths, 0 if value is None else _check_fill(value, input))
    if value is not None:
        raise ArgumentError("pad", "value", repr(value), f"None in mode {mode!r}")
    _check_copies(input, len(pad) // 2, widths, mode)
    if not any(pad):
        return Pad.apply(input, widths, 0)
    for axis, (before, after) in enumerate(widths):
        if before or after:
            positions = _positions(mode, input.shape[axis], before, after)[:, None]
            input = Resample.apply(input, positions, np.ones(positions.shape), axis)
    return input


def _positions(mode: str, size: int, before: int, after: int) -> np.ndarray:
    """Which element of the input each element of the output copies."""
    if mode == "circular":
        first, last = max(-before, 0), size - max(-after, 0)
        return first + np.arange(-max(before, 0), last - first + max(after, 0)) % (last - first)
    positions = np.arange(-before, size + after)
    if mode == "reflect":
        positions = size - 1 - abs(size - 1 - abs(positions))
    return np.clip(positions, 0, size - 1)


def _check_widths(pad: Any, input: Tensor) -> Widths:
    """(before, after) of every dimension, the first first."""
    if not isinstance(pad, list | tuple) or not all(is_int(n) for n in pad) or len(pad) % 2:
        raise ArgumentError("pad", "pad", repr(pad), "pairs of ints, the last dimension's first")
    if len(pad) > 2 * input.ndim:
        raise ArgumentError("pad", "pad", repr(pad), f"at most a pair for each dimension of {input.shape}")
    pairs = [(int(pad[i]), int(pad[i + 1])) for i in range(0, len(pad), 2)]
    widths = (*[(0, 0)] * (input.ndim - len(pairs)), *reversed(pairs))
    if any(n + b + a < 0 or -b > n or -a > n for n, (b, a) in zip(input.shape, widths, strict=True)):
        raise ShapeError("pad", "pad", repr(pad), f"to crop at most what {input.shape} has")
    return widths


def _check_fill(value: Any, input: Tensor) -> Any:
    """`value`, which an input of whole numbers must be able to hold."""
    number = check_number("pad", "value", value)
    kind = input.dtype.kind
    if kind in "iu":
        limits = np.iinfo(input.dtype)
        if number % 1 or not limits.min <= value <= limits.max:
            raise ArgumentError("pad", "value", repr(value), f"a number that {input.dtype} can hold")
    if kind == "b" and value not in (0, 1):
        raise ArgumentError("pad", "value", repr(value), "0 or 1 for truth values")
    return int(value) if kind in "iu" else number


def _check_copies(input: Tensor, padded: int, widths: Widths, mode: str) -> None:
    """What PyTorch asks of the modes that copy."""
    if padded not in (1, 2, 3) or input.ndim not in (padded + 1, padded + 2):
        expected = f"1 to 3 pairs for an input (N, C, *spatial) or (C, *spatial) in mode {mode!r}"
        raise ShapeError("pad", "pad", f"{padded} pairs, for an input of shape {input.shape}", expected)
    for size, (before, after) in list(zip(input.shape, widths, strict=True))[-padded:]:
        if size < 1 or size + before + after < 1:
            raise ShapeError(
                "pad", "input", f"of shape {input.shape}", "at least one element to copy, also when cropped"
            )
        kept = size + min(before, 0) + min(after, 0)
        most = {"reflect": size - 1, "circular": kept}.get(mode)
        if most is not None and max(before, after) > most:
            expected = f"at most {most} here, for a dimension of {size} in mode {mode!r}"
            raise ArgumentError("pad", "pad", f"{(before, after)} in one dimension", expected)
