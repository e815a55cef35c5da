"""Layers that turn windows into columns and back."""

from __future__ import annotations

from tinyconv.nn import functional as F
from tinyconv.nn.module import Module
from tinyconv.tensor import Tensor

IntOrPair = int | tuple[int, int]


class Unfold(Module):
    """Copy each window of an image into a column; see `functional.unfold`."""

    def __init__(
        self,
        kernel_size: IntOrPair,
        dilation: IntOrPair = 1,
        padding: IntOrPair = 0,
        stride: IntOrPair = 1,
    ) -> None:
        super().__init__()
        self.kernel_size, self.dilation = kernel_size, dilation
        self.padding, self.stride = padding, stride

    def forward(self, input: Tensor) -> Tensor:
        return F.unfold(input, self.kernel_size, self.dilation, self.padding, self.stride)

    def extra_repr(self) -> str:
        return (
            f"kernel_size={self.kernel_size}, dilation={self.dilation}, "
            f"padding={self.padding}, stride={self.stride}"
        )


class Fold(Unfold):
    """Add columns back to the windows they stand for; see `functional.fold`."""

    def __init__(
        self,
        output_size: IntOrPair,
        kernel_size: IntOrPair,
        dilation: IntOrPair = 1,
        padding: IntOrPair = 0,
        stride: IntOrPair = 1,
    ) -> None:
        super().__init__(kernel_size, dilation, padding, stride)
        self.output_size = output_size

    def forward(self, input: Tensor) -> Tensor:
        window = (self.kernel_size, self.dilation, self.padding, self.stride)
        return F.fold(input, self.output_size, *window)

    def extra_repr(self) -> str:
        return f"output_size={self.output_size}, {super().extra_repr()}"
