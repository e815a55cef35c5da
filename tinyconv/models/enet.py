"""ENet of Paszke et al. 2016: all good ideas in 0.37 million parameters (slide deck S1).

A residual net of bottlenecks: a 1x1 convolution pools features into a quarter of the channels, a
convolution works on these, another 1x1 restores them. What works is a 3x3 convolution, a dilated one,
or an asymmetric pair of 5x1 and 1x5. The large encoder halves the image at once; the small decoder
puts values back where the encoder's pooling found them.
"""

from __future__ import annotations

from typing import Any

from tinyconv.errors import ArgumentError
from tinyconv.models._sizes import check_images
from tinyconv.models.registry import register
from tinyconv.nn import (
    BatchNorm2d,
    Conv2d,
    ConvTranspose2d,
    Dropout2d,
    Identity,
    MaxPool2d,
    MaxUnpool2d,
    Module,
    PReLU,
    Sequential,
)
from tinyconv.ops import cat, zeros
from tinyconv.ops._checks import check_positive
from tinyconv.ops.dropout import check_probability
from tinyconv.tensor import Tensor

REDUCTION = 4
SECTION: tuple[dict[str, int], ...] = (
    {},
    {"dilation": 2},
    {"asymmetric": 5},
    {"dilation": 4},
    {},
    {"dilation": 8},
    {"asymmetric": 5},
    {"dilation": 16},
)
"""Bottlenecks 2.1 to 2.8 of the paper's table, and 3.1 to 3.8."""


class Initial(Module):
    """A convolution beside a pooling, both of which halve the image; their channels are joined."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.conv = Conv2d(in_channels, out_channels - in_channels, 3, stride=2, padding=1, bias=False)
        self.pool = MaxPool2d(2)
        self.norm, self.prelu = BatchNorm2d(out_channels), PReLU(out_channels)

    def forward(self, x: Tensor) -> Tensor:
        return self.prelu(self.norm(cat([self.conv(x), self.pool(x)], dim=1)))


class Bottleneck(Module):
    """x + (1x1, convolution, 1x1), then PReLU.

    Parameters
    ----------
    channels : int
    dropout : float
        Of whole channels, after the last 1x1.
    dilation : int
        Of the 3x3 convolution.
    asymmetric : int
        If not 0, its length squared is what a pair of one-dimensional convolutions takes the place of.
    """

    def __init__(self, channels: int, dropout: float = 0.1, dilation: int = 1, asymmetric: int = 0) -> None:
        super().__init__()
        inner = max(channels // REDUCTION, 1)
        if asymmetric:
            n, pad = asymmetric, asymmetric // 2
            tall = Conv2d(inner, inner, (n, 1), padding=(pad, 0), bias=False)
            conv: Module = Sequential(tall, Conv2d(inner, inner, (1, n), padding=(0, pad)))
        else:
            conv = Conv2d(inner, inner, 3, padding=dilation, dilation=dilation)
        self.branch = _branch(Conv2d(channels, inner, 1, bias=False), conv, inner, channels, dropout)
        self.prelu = PReLU(channels)

    def forward(self, x: Tensor) -> Tensor:
        return self.prelu(x + self.branch(x))


class Downsampling(Module):
    """A bottleneck that halves the image: a 2x2 convolution of stride 2 beside max pooling.

    The pooled channels are filled up with zeros. Returns where the maxima were, too.
    """

    def __init__(self, in_channels: int, out_channels: int, dropout: float) -> None:
        super().__init__()
        inner = max(out_channels // REDUCTION, 1)
        first = Conv2d(in_channels, inner, 2, stride=2, bias=False)
        self.more = out_channels - in_channels
        self.branch = _branch(first, Conv2d(inner, inner, 3, padding=1), inner, out_channels, dropout)
        self.pool = MaxPool2d(2, return_indices=True)
        self.prelu = PReLU(out_channels)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        pooled, indices = self.pool(x)
        n, _, height, width = pooled.shape
        nothing = zeros(n, self.more, height, width, dtype=x.dtype).to(x.device)
        return self.prelu(cat([pooled, nothing], dim=1) + self.branch(x)), indices


class Upsampling(Module):
    """A bottleneck that doubles the image: a transposed convolution beside max unpooling."""

    def __init__(self, in_channels: int, out_channels: int, dropout: float = 0.1) -> None:
        super().__init__()
        inner = max(out_channels // REDUCTION, 1)
        first = Conv2d(in_channels, inner, 1, bias=False)
        grow = ConvTranspose2d(inner, inner, 3, stride=2, padding=1, output_padding=1)
        self.branch = _branch(first, grow, inner, out_channels, dropout)
        self.main = Sequential(Conv2d(in_channels, out_channels, 1, bias=False), BatchNorm2d(out_channels))
        self.unpool = MaxUnpool2d(2)
        self.prelu = PReLU(out_channels)

    def forward(self, x: Tensor, indices: Tensor) -> Tensor:
        return self.prelu(self.unpool(self.main(x), indices) + self.branch(x))


def _branch(reduce: Module, conv: Module, inner: int, out_channels: int, dropout: float) -> Sequential:
    """The three convolutions of a bottleneck, each normalised; the last one without a PReLU."""
    layers: dict[str, Any] = {
        "reduce": reduce,
        "norm1": BatchNorm2d(inner),
        "prelu1": PReLU(inner),
        "conv": conv,
        "norm2": BatchNorm2d(inner),
        "prelu2": PReLU(inner),
        "expand": Conv2d(inner, out_channels, 1, bias=False),
        "norm3": BatchNorm2d(out_channels),
        "drop": Dropout2d(dropout) if dropout else Identity(),
    }
    return Sequential(layers)


@register("enet", (3, 512, 512))
class ENet(Module):
    """ENet: (N, 3, H, W) to scores (N, num_classes, H, W), H and W multiples of 8.

    Parameters
    ----------
    in_channels, num_classes : int
        Channels in, maps of scores out.
    width : int
        Filters of the initial block: 16 in the paper; the stages have 4 and 8 times as many.
    dropout : float
        In the second and later stages; a tenth of it in the first.

    Notes
    -----
    364,634 parameters; with the running statistics of its batch normalisation 372,986 numbers are
    stored, the 0.37 million of the paper.

    Examples
    --------
    >>> from tinyconv import models
    >>> sum(p.numel() for p in models.create("enet").parameters())
    364634
    """

    def __init__(
        self, in_channels: int = 3, num_classes: int = 19, width: int = 16, dropout: float = 0.1
    ) -> None:
        super().__init__()
        if check_positive("ENet", "width", width) <= in_channels:
            raise ArgumentError("ENet", "width", width, f"more than in_channels = {in_channels}")
        dropout = check_probability("ENet", dropout)
        self.in_channels, self.multiple = in_channels, 8
        first, second = 4 * width, 8 * width
        self.initial = Initial(in_channels, width)
        self.down1 = Downsampling(width, first, dropout / 10)
        self.stage1 = Sequential(*(Bottleneck(first, dropout / 10) for _ in range(4)))
        self.down2 = Downsampling(first, second, dropout)
        self.stage2 = Sequential(*(Bottleneck(second, dropout, **kind) for kind in SECTION))
        self.stage3 = Sequential(*(Bottleneck(second, dropout, **kind) for kind in SECTION))
        self.up4 = Upsampling(second, first, dropout)
        self.stage4 = Sequential(Bottleneck(first, dropout), Bottleneck(first, dropout))
        self.up5 = Upsampling(first, width, dropout)
        self.stage5 = Bottleneck(width, dropout)
        self.head = ConvTranspose2d(width, num_classes, 2, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        check_images("ENet", x, self.in_channels, multiple=self.multiple, least=self.multiple)
        x, near = self.down1(self.initial(x))
        x, far = self.down2(self.stage1(x))
        x = self.stage3(self.stage2(x))
        x = self.stage4(self.up4(x, far))
        x = self.stage5(self.up5(x, near))
        return self.head(x)
