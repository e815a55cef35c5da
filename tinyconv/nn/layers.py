"""Layers with parameters: linear, convolution, transposed convolution."""

from __future__ import annotations

from math import sqrt

from tinyconv.errors import ArgumentError
from tinyconv.nn import functional as F
from tinyconv.nn import init
from tinyconv.nn.module import Module, Parameter
from tinyconv.ops import zeros
from tinyconv.ops._checks import check_positive, int_tuple
from tinyconv.tensor import Tensor

IntOrPair = int | tuple[int, int]


class Linear(Module):
    """y = x W^T + b: each of the out_features neurons sees all in_features inputs.

    Parameters
    ----------
    in_features, out_features : int
    bias : bool
        Whether the neurons have a bias.

    Attributes
    ----------
    weight : Parameter
        Shape (out_features, in_features); uniform in +-1 / sqrt(in_features) at first, as the bias.
    bias : Parameter or None
        Shape (out_features,).

    Examples
    --------
    >>> import tinyconv as tc
    >>> from tinyconv import nn
    >>> layer = nn.Linear(256 * 256, 64)      # slide S1: too many parameters for an image
    >>> layer.weight.numel(), layer.bias.numel()
    (4194304, 64)
    """

    bias: Parameter | None

    def __init__(self, in_features: int, out_features: int, bias: bool = True) -> None:
        super().__init__()
        self.in_features = check_positive("Linear", "in_features", in_features)
        self.out_features = check_positive("Linear", "out_features", out_features)
        self.weight = Parameter(zeros(out_features, in_features))
        self.register_parameter("bias", Parameter(zeros(out_features)) if bias else None)
        reset_uniform(self.weight, self.bias, in_features)

    def forward(self, input: Tensor) -> Tensor:
        return F.linear(input, self.weight, self.bias)

    def extra_repr(self) -> str:
        return (
            f"in_features={self.in_features}, out_features={self.out_features}, bias={self.bias is not None}"
        )


def reset_uniform(weight: Tensor, bias: Tensor | None, fan_in: int) -> None:
    """PyTorch's default initialisation: uniform in +-1 / sqrt(fan_in)."""
    bound = 1 / sqrt(fan_in)
    init.uniform_(weight, -bound, bound)
    if bias is not None:
        init.uniform_(bias, -bound, bound)


class _ConvBase(Module):
    """What the convolutions share: checked arguments, weight, bias and repr."""

    bias: Parameter | None

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: IntOrPair,
        stride: IntOrPair,
        padding: IntOrPair,
        dilation: IntOrPair,
        groups: int,
        bias: bool,
        transposed: bool,
    ) -> None:
        super().__init__()
        name = type(self).__name__
        self.in_channels = check_positive(name, "in_channels", in_channels)
        self.out_channels = check_positive(name, "out_channels", out_channels)
        self.kernel_size = int_tuple(name, "kernel_size", kernel_size, 2, 1)
        self.stride = int_tuple(name, "stride", stride, 2, 1)
        self.padding = int_tuple(name, "padding", padding, 2, 0)
        self.dilation = int_tuple(name, "dilation", dilation, 2, 1)
        self.groups = check_positive(name, "groups", groups)
        _check_divides(name, groups, in_channels=in_channels, out_channels=out_channels)
        first, second = (in_channels, out_channels) if transposed else (out_channels, in_channels)
        self.weight = Parameter(zeros(first, second // groups, *self.kernel_size))
        self.register_parameter("bias", Parameter(zeros(out_channels)) if bias else None)
        reset_uniform(self.weight, self.bias, init.fans(self.weight)[0])

    def extra_repr(self) -> str:
        parts = [
            f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}"
        ]
        defaults = {"padding": (0, 0), "output_padding": (0, 0), "dilation": (1, 1), "groups": 1}
        for name, default in defaults.items():
            value = getattr(self, name, default)
            parts += [f"{name}={value}"] if value != default else []
        return ", ".join(parts + ([] if self.bias is not None else ["bias=False"]))


def _check_divides(name: str, groups: int, **channels: int) -> None:
    for argument, count in channels.items():
        if count % groups:
            raise ArgumentError(name, argument, count, f"a multiple of groups = {groups}")


class Conv2d(_ConvBase):
    """2-D convolution with learned weights; see `functional.conv2d` for arguments and shapes.

    Attributes
    ----------
    weight : Parameter
        Shape (out_channels, in_channels / groups, kernel height, kernel width).
    bias : Parameter or None
        Shape (out_channels,).

    Examples
    --------
    >>> from tinyconv import nn
    >>> layer = nn.Conv2d(3, 1, kernel_size=3)      # slide S1: 3 * 3 * 3 + 1
    >>> sum(p.numel() for p in layer.parameters())
    28
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: IntOrPair,
        stride: IntOrPair = 1,
        padding: IntOrPair = 0,
        dilation: IntOrPair = 1,
        groups: int = 1,
        bias: bool = True,
    ) -> None:
        super().__init__(
            in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias, transposed=False
        )

    def forward(self, input: Tensor) -> Tensor:
        return F.conv2d(input, self.weight, self.bias, self.stride, self.padding, self.dilation, self.groups)


class ConvTranspose2d(_ConvBase):
    """2-D transposed convolution; see `functional.conv_transpose2d` for arguments and shapes.

    Attributes
    ----------
    weight : Parameter
        Shape (in_channels, out_channels / groups, kernel height, kernel width).
    bias : Parameter or None
        Shape (out_channels,).
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: IntOrPair,
        stride: IntOrPair = 1,
        padding: IntOrPair = 0,
        output_padding: IntOrPair = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: IntOrPair = 1,
    ) -> None:
        super().__init__(
            in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias, transposed=True
        )
        self.output_padding = int_tuple("ConvTranspose2d", "output_padding", output_padding, 2, 0)

    def forward(self, input: Tensor) -> Tensor:
        arguments = (self.stride, self.padding, self.output_padding, self.groups, self.dilation)
        return F.conv_transpose2d(input, self.weight, self.bias, *arguments)
