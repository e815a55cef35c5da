"""Layers with learned kernels: convolution and transposed convolution in 1, 2 and 3 dimensions."""

from __future__ import annotations

from typing import Any, ClassVar

from tinyconv.errors import ArgumentError, ShapeError
from tinyconv.nn import functional as F
from tinyconv.nn import init
from tinyconv.nn.linear import reset_uniform
from tinyconv.nn.module import Module, Parameter
from tinyconv.ops import zeros
from tinyconv.ops._checks import check_choice, check_flags, check_positive, check_tensor, int_tuple
from tinyconv.ops._images import IntOrTuple, with_batch
from tinyconv.tensor import Tensor

PADDING_MODES = ("zeros", "reflect", "replicate", "circular")


class _ConvBase(Module):
    """What the convolutions share: checked arguments, weight, bias and repr."""

    dims: ClassVar[int]
    bias: Parameter | None
    padding: str | tuple[int, ...]
    padding_mode: str

    def _build(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: IntOrTuple,
        stride: IntOrTuple,
        dilation: IntOrTuple,
        groups: int,
        bias: bool,
        transposed: bool,
    ) -> None:
        name = type(self).__name__
        self.in_channels = check_positive(name, "in_channels", in_channels)
        self.out_channels = check_positive(name, "out_channels", out_channels)
        self.kernel_size = int_tuple(name, "kernel_size", kernel_size, self.dims, 1)
        self.stride = int_tuple(name, "stride", stride, self.dims, 1, True)
        self.dilation = int_tuple(name, "dilation", dilation, self.dims, 1, True)
        self.groups = check_positive(name, "groups", groups)
        _check_divides(name, groups, in_channels=in_channels, out_channels=out_channels)
        first, second = (in_channels, out_channels) if transposed else (out_channels, in_channels)
        self.weight = Parameter(zeros(first, second // groups, *self.kernel_size))
        self.register_parameter("bias", Parameter(zeros(out_channels)) if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw weight and bias anew."""
        reset_uniform(self.weight, self.bias, init.fans(self.weight)[0])

    def extra_repr(self) -> str:
        parts = [
            f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}"
        ]
        zero, one = (0,) * self.dims, (1,) * self.dims
        defaults = {"padding": zero, "dilation": one, "output_padding": zero, "groups": 1}
        for name, default in defaults.items():
            value = getattr(self, name, default)
            parts += [f"{name}={value}"] if value != default else []
        parts += [] if self.bias is not None else ["bias=False"]
        return ", ".join(
            parts + ([] if self.padding_mode == "zeros" else [f"padding_mode={self.padding_mode}"])
        )


def _check_divides(name: str, groups: int, **channels: int) -> None:
    for argument, count in channels.items():
        if count % groups:
            raise ArgumentError(name, argument, count, f"a multiple of groups = {groups}")


class _Conv(_ConvBase):
    """The convolutions; `padding_mode` says what stands outside the image, as in `functional.pad`."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: IntOrTuple,
        stride: IntOrTuple = 1,
        padding: IntOrTuple | str = 0,
        dilation: IntOrTuple = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        device: str | None = None,
        dtype: Any = None,
    ) -> None:
        check_flags(type(self).__name__, bias=bias)
        super().__init__()
        sizes = (in_channels, out_channels, kernel_size, stride, dilation, groups)
        self._build(*sizes, bias, transposed=False)
        self.to(device=device, dtype=dtype)
        name = type(self).__name__
        self.padding_mode = check_choice(name, "padding_mode", padding_mode, PADDING_MODES)
        if not isinstance(padding, str):
            self.padding = int_tuple(name, "padding", padding, self.dims, 0, True)
            return
        self.padding = check_choice(name, "padding", padding, ("valid", "same"))
        if padding == "same" and any(s > 1 for s in self.stride):
            raise ArgumentError(name, "stride", self.stride, "1 with padding='same', which keeps the size")

    def forward(self, input: Tensor) -> Tensor:
        padding = self.padding
        if self.padding_mode != "zeros":
            input, padding = F.pad(input, self._borders(), self.padding_mode), (0,) * self.dims
        conv = (F.conv1d, F.conv2d, F.conv3d)[self.dims - 1]
        return conv(input, self.weight, self.bias, self.stride, padding, self.dilation, self.groups)

    def _borders(self) -> tuple[int, ...]:
        """(before, after) of each spatial dimension, the last first."""
        if isinstance(self.padding, tuple):
            return tuple(n for p in reversed(self.padding) for n in (p, p))
        whole = [d * (k - 1) for d, k in zip(self.dilation, self.kernel_size, strict=True)]
        if self.padding == "valid":
            whole = [0] * self.dims
        return tuple(n for w in reversed(whole) for n in (w // 2, w - w // 2))


class Conv1d(_Conv):
    """1-D convolution with learned weights; see `functional.conv1d` for arguments and shapes.

    Attributes
    ----------
    weight : Parameter
        Shape (out_channels, in_channels / groups, kernel).
    bias : Parameter or None
        Shape (out_channels,).
    """

    dims = 1


class Conv2d(_Conv):
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

    dims = 2


class Conv3d(_Conv):
    """3-D convolution with learned weights; see `functional.conv3d` for arguments and shapes.

    Attributes
    ----------
    weight : Parameter
        Shape (out_channels, in_channels / groups, kernel depth, height, width).
    bias : Parameter or None
        Shape (out_channels,).
    """

    dims = 3


class _ConvTranspose(_ConvBase):
    """The transposed convolutions."""

    padding: tuple[int, ...]

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: IntOrTuple,
        stride: IntOrTuple = 1,
        padding: IntOrTuple = 0,
        output_padding: IntOrTuple = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: IntOrTuple = 1,
        padding_mode: str = "zeros",
        device: str | None = None,
        dtype: Any = None,
    ) -> None:
        check_flags(type(self).__name__, bias=bias)
        super().__init__()
        name = type(self).__name__
        sizes = (in_channels, out_channels, kernel_size, stride, dilation, groups)
        self._build(*sizes, bias, transposed=True)
        self.to(device=device, dtype=dtype)
        self.padding_mode = check_choice(name, "padding_mode", padding_mode, ("zeros",))
        self.padding = int_tuple(name, "padding", padding, self.dims, 0, True)
        self.output_padding = int_tuple(name, "output_padding", output_padding, self.dims, 0, True)

    def forward(self, input: Tensor, output_size: tuple[int, ...] | None = None) -> Tensor:
        """Apply the layer; `output_size` chooses among the sizes that `output_padding` allows."""
        extra = self.output_padding if output_size is None else self._extra(input, output_size)
        transpose = (F.conv_transpose1d, F.conv_transpose2d, F.conv_transpose3d)[self.dims - 1]
        geometry = (self.stride, self.padding, extra, self.groups, self.dilation)
        return transpose(input, self.weight, self.bias, *geometry)

    def _extra(self, input: Tensor, output_size: tuple[int, ...]) -> tuple[int, ...]:
        """The output padding that makes the output `output_size`, whose last numbers count."""
        name = type(self).__name__
        with_batch(name, "input", check_tensor(name, "input", input), self.dims)
        last = output_size[-self.dims :] if isinstance(output_size, list | tuple) else output_size
        wanted = int_tuple(name, "output_size", last, self.dims, 1)
        window = zip(self.stride, self.padding, self.dilation, self.kernel_size, strict=True)
        smallest = tuple(
            (n - 1) * s - 2 * p + d * (k - 1) + 1
            for n, (s, p, d, k) in zip(input.shape[-self.dims :], window, strict=True)
        )
        largest = tuple(n + s - 1 for n, s in zip(smallest, self.stride, strict=True))
        if any(not low <= n <= high for low, n, high in zip(smallest, wanted, largest, strict=True)):
            raise ShapeError(name, "output_size", wanted, f"from {smallest} to {largest}")
        return tuple(n - low for n, low in zip(wanted, smallest, strict=True))


class ConvTranspose1d(_ConvTranspose):
    """1-D transposed convolution; see `functional.conv_transpose1d` for arguments and shapes.

    Attributes
    ----------
    weight : Parameter
        Shape (in_channels, out_channels / groups, kernel).
    bias : Parameter or None
        Shape (out_channels,).
    """

    dims = 1


class ConvTranspose2d(_ConvTranspose):
    """2-D transposed convolution; see `functional.conv_transpose2d` for arguments and shapes.

    Attributes
    ----------
    weight : Parameter
        Shape (in_channels, out_channels / groups, kernel height, kernel width).
    bias : Parameter or None
        Shape (out_channels,).
    """

    dims = 2


class ConvTranspose3d(_ConvTranspose):
    """3-D transposed convolution; see `functional.conv_transpose3d` for arguments and shapes.

    Attributes
    ----------
    weight : Parameter
        Shape (in_channels, out_channels / groups, kernel depth, height, width).
    bias : Parameter or None
        Shape (out_channels,).
    """

    dims = 3
