"""Layers that pool to a given size, and power-average pooling, in 1, 2 and 3 dimensions."""

from __future__ import annotations

from typing import Any, ClassVar

from tinyconv.nn import functional as F
from tinyconv.nn.module import Module
from tinyconv.ops._checks import check_flags
from tinyconv.tensor import Tensor

IntOrTuple = int | tuple[int, ...]
OutputSize = int | tuple[int | None, ...] | None


class _AdaptiveAvgPool(Module):
    """Adaptive average pooling."""

    dims: ClassVar[int]

    def __init__(self, output_size: OutputSize) -> None:
        super().__init__()
        self.output_size = output_size

    def forward(self, input: Tensor) -> Tensor:
        pool = (F.adaptive_avg_pool1d, F.adaptive_avg_pool2d, F.adaptive_avg_pool3d)[self.dims - 1]
        return pool(input, self.output_size)

    def extra_repr(self) -> str:
        return f"output_size={self.output_size}"


class AdaptiveAvgPool1d(_AdaptiveAvgPool):
    """The means of `output_size` windows; see `functional.adaptive_avg_pool1d`."""

    dims = 1


class AdaptiveAvgPool2d(_AdaptiveAvgPool):
    """The means of as many windows as `output_size` says; see `functional.adaptive_avg_pool2d`.

    Examples
    --------
    >>> import tinyconv as tc
    >>> from tinyconv import nn
    >>> nn.AdaptiveAvgPool2d(1)(tc.ones(8, 512, 7, 7)).shape        # global pooling
    (8, 512, 1, 1)
    """

    dims = 2


class AdaptiveAvgPool3d(_AdaptiveAvgPool):
    """The means of as many windows as `output_size` says; see `functional.adaptive_avg_pool3d`."""

    dims = 3


class _AdaptiveMaxPool(_AdaptiveAvgPool):
    """Adaptive max pooling."""

    def __init__(self, output_size: OutputSize, return_indices: bool = False) -> None:
        check_flags(type(self).__name__, return_indices=return_indices)
        super().__init__(output_size)
        self.return_indices = return_indices

    def forward(self, input: Tensor) -> Any:
        pool = (F.adaptive_max_pool1d, F.adaptive_max_pool2d, F.adaptive_max_pool3d)[self.dims - 1]
        return pool(input, self.output_size, self.return_indices)


class AdaptiveMaxPool1d(_AdaptiveMaxPool):
    """The maxima of `output_size` windows; see `functional.adaptive_max_pool1d`."""

    dims = 1


class AdaptiveMaxPool2d(_AdaptiveMaxPool):
    """The maxima of as many windows as `output_size` says; see `functional.adaptive_max_pool2d`."""

    dims = 2


class AdaptiveMaxPool3d(_AdaptiveMaxPool):
    """The maxima of as many windows as `output_size` says; see `functional.adaptive_max_pool3d`."""

    dims = 3


class _LPPool(Module):
    """Power-average pooling."""

    dims: ClassVar[int]

    def __init__(
        self,
        norm_type: float,
        kernel_size: IntOrTuple,
        stride: IntOrTuple | None = None,
        ceil_mode: bool = False,
    ) -> None:
        check_flags(type(self).__name__, ceil_mode=ceil_mode)
        super().__init__()
        self.norm_type, self.kernel_size = norm_type, kernel_size
        self.stride, self.ceil_mode = stride, ceil_mode

    def forward(self, input: Tensor) -> Tensor:
        pool = (F.lp_pool1d, F.lp_pool2d, F.lp_pool3d)[self.dims - 1]
        return pool(input, self.norm_type, self.kernel_size, self.stride, self.ceil_mode)

    def extra_repr(self) -> str:
        return (
            f"norm_type={self.norm_type}, kernel_size={self.kernel_size}, "
            f"stride={self.stride}, ceil_mode={self.ceil_mode}"
        )


class LPPool1d(_LPPool):
    """The p-norm of each window; see `functional.lp_pool1d`."""

    dims = 1


class LPPool2d(_LPPool):
    """The p-norm of each window; see `functional.lp_pool2d`."""

    dims = 2


class LPPool3d(_LPPool):
    """The p-norm of each window; see `functional.lp_pool3d`."""

    dims = 3
