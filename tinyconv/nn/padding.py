"""Layers that pad: with zeros, a constant, or copies of the input; see `functional.pad`.

`padding` is one int for all sides, or (left, right), (left, right, top, bottom) or
(left, right, top, bottom, front, back).
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from tinyconv.errors import ArgumentError
from tinyconv.nn import functional as F
from tinyconv.nn.module import Module
from tinyconv.ops._checks import check_number
from tinyconv.tensor import Tensor


class _Pad(Module):
    """What the padding layers share: subclasses say how many dimensions, and how."""

    dims: ClassVar[int]
    mode: ClassVar[str]

    def __init__(self, padding: int | tuple[int, ...]) -> None:
        super().__init__()
        count = 2 * self.dims
        items = tuple(padding) if isinstance(padding, list | tuple) else (padding,) * count
        ints = all(isinstance(n, int | np.integer) and not isinstance(n, bool) for n in items)
        if not ints or len(items) != count:
            raise ArgumentError(type(self).__name__, "padding", repr(padding), f"an int, or {count} of them")
        self.padding = items

    def forward(self, input: Tensor) -> Tensor:
        return F.pad(input, self.padding, self.mode)

    def extra_repr(self) -> str:
        return str(self.padding)


class _ConstantPad(_Pad):
    mode = "constant"

    def __init__(self, padding: int | tuple[int, ...], value: float) -> None:
        super().__init__(padding)
        self.value = check_number(type(self).__name__, "value", value)

    def forward(self, input: Tensor) -> Tensor:
        return F.pad(input, self.padding, "constant", self.value)

    def extra_repr(self) -> str:
        return f"padding={self.padding}, value={self.value}"


class _ZeroPad(_ConstantPad):
    def __init__(self, padding: int | tuple[int, ...]) -> None:
        super().__init__(padding, 0.0)

    def extra_repr(self) -> str:
        return str(self.padding)


class _ReflectionPad(_Pad):
    mode = "reflect"


class _ReplicationPad(_Pad):
    mode = "replicate"


class _CircularPad(_Pad):
    mode = "circular"


class ZeroPad1d(_ZeroPad):
    """Zeros around the rows of (N, C, L)."""

    dims = 1


class ZeroPad2d(_ZeroPad):
    """Zeros around the images of (N, C, H, W)."""

    dims = 2


class ZeroPad3d(_ZeroPad):
    """Zeros around the volumes of (N, C, D, H, W)."""

    dims = 3


class ConstantPad1d(_ConstantPad):
    """`value` around the rows of (N, C, L)."""

    dims = 1


class ConstantPad2d(_ConstantPad):
    """`value` around the images of (N, C, H, W)."""

    dims = 2


class ConstantPad3d(_ConstantPad):
    """`value` around the volumes of (N, C, D, H, W)."""

    dims = 3


class ReflectionPad1d(_ReflectionPad):
    """The input mirrored at its border pixels around the rows of (N, C, L)."""

    dims = 1


class ReflectionPad2d(_ReflectionPad):
    """The input mirrored at its border pixels around the images of (N, C, H, W)."""

    dims = 2


class ReflectionPad3d(_ReflectionPad):
    """The input mirrored at its border pixels around the volumes of (N, C, D, H, W)."""

    dims = 3


class ReplicationPad1d(_ReplicationPad):
    """The border pixels repeated around the rows of (N, C, L)."""

    dims = 1


class ReplicationPad2d(_ReplicationPad):
    """The border pixels repeated around the images of (N, C, H, W)."""

    dims = 2


class ReplicationPad3d(_ReplicationPad):
    """The border pixels repeated around the volumes of (N, C, D, H, W)."""

    dims = 3


class CircularPad1d(_CircularPad):
    """The other side's pixels around the rows of (N, C, L)."""

    dims = 1


class CircularPad2d(_CircularPad):
    """The other side's pixels around the images of (N, C, H, W)."""

    dims = 2


class CircularPad3d(_CircularPad):
    """The other side's pixels around the volumes of (N, C, D, H, W)."""

    dims = 3
