"""Activation layers with a gate, and with random slopes."""

from __future__ import annotations

from tinyconv.errors import ArgumentError, ShapeError
from tinyconv.nn import functional as F
from tinyconv.nn.activation import _Activation, _WithoutOptions
from tinyconv.nn.module import Module
from tinyconv.ops._checks import check_flags, check_number, check_tensor
from tinyconv.tensor import Tensor


class Hardsigmoid(_WithoutOptions):
    """``relu6(x + 3) / 6``."""

    def forward(self, input: Tensor) -> Tensor:
        return F.hardsigmoid(input)


class Hardswish(_WithoutOptions):
    """``x * hardsigmoid(x)``, the activation of MobileNetV3."""

    def forward(self, input: Tensor) -> Tensor:
        return F.hardswish(input)


class Mish(_WithoutOptions):
    """``x * tanh(softplus(x))``."""

    def forward(self, input: Tensor) -> Tensor:
        return F.mish(input)


class GLU(_Activation):
    """The first half along `dim` times the sigmoid of the second half."""

    OPTIONS = ("dim",)

    def __init__(self, dim: int = -1) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, input: Tensor) -> Tensor:
        return F.glu(input, self.dim)


class RReLU(_Activation):
    """x where x > 0, else x times a slope: random in training, the mean one in evaluation."""

    OPTIONS = ("lower", "upper")

    def __init__(self, lower: float = 1.0 / 8, upper: float = 1.0 / 3, inplace: bool = False) -> None:
        check_flags(type(self).__name__, inplace=inplace)
        super().__init__()
        self.lower = check_number("RReLU", "lower", lower)
        self.upper = check_number("RReLU", "upper", upper)
        if not self.lower <= self.upper:
            raise ArgumentError("RReLU", "lower", repr(lower), f"at most upper = {upper}")
        self.inplace = bool(inplace)

    def forward(self, input: Tensor) -> Tensor:
        return F.rrelu(input, self.lower, self.upper, self.training)


class Softmax2d(Module):
    """Probabilities of the channels at each pixel of (N, C, H, W) or (C, H, W)."""

    def forward(self, input: Tensor) -> Tensor:
        if check_tensor("Softmax2d", "input", input).ndim not in (3, 4):
            expected = "(N, C, H, W) or (C, H, W)"
            raise ShapeError("Softmax2d", "input", f"of shape {input.shape}", expected)
        return F.softmax(input, -3)
