"""Layers that pool over windows, and the one that undoes it, in 1, 2 and 3 dimensions."""

from __future__ import annotations

from typing import Any, ClassVar

from tinyconv.nn import functional as F
from tinyconv.nn.module import Module
from tinyconv.ops._checks import check_flags
from tinyconv.tensor import Tensor

IntOrTuple = int | tuple[int, ...]


class _Pool(Module):
    """What the pooling layers share."""

    dims: ClassVar[int]

    def __init__(
        self, kernel_size: IntOrTuple, stride: IntOrTuple | None = None, padding: IntOrTuple = 0
    ) -> None:
        super().__init__()
        self.kernel_size, self.padding = kernel_size, padding
        self.stride = kernel_size if stride is None else stride

    def extra_repr(self) -> str:
        parts = [f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"]
        defaults = {"dilation": 1, "ceil_mode": False, "count_include_pad": True, "divisor_override": None}
        parts += [
            f"{name}={value}"
            for name, default in defaults.items()
            if (value := getattr(self, name, default)) != default
        ]
        return ", ".join(parts)


class _MaxPool(_Pool):
    """Max pooling."""

    def __init__(
        self,
        kernel_size: IntOrTuple,
        stride: IntOrTuple | None = None,
        padding: IntOrTuple = 0,
        dilation: IntOrTuple = 1,
        return_indices: bool = False,
        ceil_mode: bool = False,
    ) -> None:
        check_flags(type(self).__name__, return_indices=return_indices, ceil_mode=ceil_mode)
        super().__init__(kernel_size, stride, padding)
        self.dilation, self.return_indices, self.ceil_mode = dilation, return_indices, ceil_mode

    def forward(self, input: Tensor) -> Any:
        pool = (F.max_pool1d, F.max_pool2d, F.max_pool3d)[self.dims - 1]
        window = (self.kernel_size, self.stride, self.padding, self.dilation)
        return pool(input, *window, self.ceil_mode, self.return_indices)


class MaxPool1d(_MaxPool):
    """The largest value of each window; see `functional.max_pool1d`."""

    dims = 1


class MaxPool2d(_MaxPool):
    """The largest value of each window; see `functional.max_pool2d`."""

    dims = 2


class MaxPool3d(_MaxPool):
    """The largest value of each window; see `functional.max_pool3d`."""

    dims = 3


class AvgPool1d(_Pool):
    """The mean of each window; see `functional.avg_pool1d`."""

    dims = 1

    def __init__(
        self,
        kernel_size: IntOrTuple,
        stride: IntOrTuple | None = None,
        padding: IntOrTuple = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
    ) -> None:
        check_flags(type(self).__name__, ceil_mode=ceil_mode, count_include_pad=count_include_pad)
        super().__init__(kernel_size, stride, padding)
        self.ceil_mode, self.count_include_pad = ceil_mode, count_include_pad

    def forward(self, input: Tensor) -> Tensor:
        window = (self.kernel_size, self.stride, self.padding)
        return F.avg_pool1d(input, *window, self.ceil_mode, self.count_include_pad)


class AvgPool2d(AvgPool1d):
    """The mean of each window; see `functional.avg_pool2d`."""

    dims = 2

    def __init__(
        self,
        kernel_size: IntOrTuple,
        stride: IntOrTuple | None = None,
        padding: IntOrTuple = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
    ) -> None:
        check_flags(type(self).__name__, ceil_mode=ceil_mode, count_include_pad=count_include_pad)
        super().__init__(kernel_size, stride, padding, ceil_mode, count_include_pad)
        self.divisor_override = divisor_override

    def forward(self, input: Tensor) -> Tensor:
        pool = F.avg_pool2d if self.dims == 2 else F.avg_pool3d
        window = (self.kernel_size, self.stride, self.padding)
        return pool(input, *window, self.ceil_mode, self.count_include_pad, self.divisor_override)


class AvgPool3d(AvgPool2d):
    """The mean of each window; see `functional.avg_pool3d`."""

    dims = 3


class _MaxUnpool(_Pool):
    """Max unpooling."""

    def forward(self, input: Tensor, indices: Tensor, output_size: tuple[int, ...] | None = None) -> Tensor:
        unpool = (F.max_unpool1d, F.max_unpool2d, F.max_unpool3d)[self.dims - 1]
        return unpool(input, indices, self.kernel_size, self.stride, self.padding, output_size)


class MaxUnpool1d(_MaxUnpool):
    """Put pooled values back where they came from; see `functional.max_unpool1d`."""

    dims = 1


class MaxUnpool2d(_MaxUnpool):
    """Put pooled values back where they came from; see `functional.max_unpool2d`."""

    dims = 2


class MaxUnpool3d(_MaxUnpool):
    """Put pooled values back where they came from; see `functional.max_unpool3d`."""

    dims = 3
