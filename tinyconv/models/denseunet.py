"""DenseUNet (Li et al. 2018): a U-Net whose encoder is a DenseNet, for the liver and its tumours.

It is the 2-D half of H-DenseUNet: DenseNet-161 without its dense layer goes down, five times bilinear
interpolation and a 3x3 convolution go up. Skips of the same size are summed, not concatenated.
"""

from __future__ import annotations

from collections.abc import Sequence

from tinyconv.models._sizes import check_images, check_sizes, check_widths
from tinyconv.models.densenet import DenseNet
from tinyconv.models.registry import register
from tinyconv.models.weights import fill_bias
from tinyconv.nn import BatchNorm2d, Conv2d, Dropout, Module, ModuleList, ReLU, Sequential, Upsample, init
from tinyconv.tensor import Tensor


@register("denseunet", (3, 224, 224))
class DenseUNet(Module):
    """DenseUNet-167: 167 convolutions, of which 160 are those of DenseNet-161.

    Parameters
    ----------
    in_channels : int
        3: a slice and its two neighbours.
    num_classes : int
        Background, liver and tumour.
    layers : sequence of int
        Of each dense block.
    growth, width : int
        Channels that a dense layer adds, and channels before the first one.
    last : int
        Channels before the scores.
    dropout : float
        Before the scores.

    Attributes
    ----------
    features : Sequential
        The encoder, with the names of torchvision's ``densenet161``, whose weights fit.
    line : Conv2d
        1x1: gives the last skip as many channels as what it is added to.

    Notes
    -----
    Input (N, in_channels, H, W), H and W multiples of 32; output (N, num_classes, H, W): scores.
    """

    def __init__(
        self,
        in_channels: int = 3,
        num_classes: int = 3,
        layers: Sequence[int] = (6, 12, 36, 24),
        growth: int = 48,
        width: int = 96,
        last: int = 64,
        dropout: float = 0.3,
    ) -> None:
        super().__init__()
        layers = check_widths("DenseUNet", layers, name="layers")
        check_sizes("DenseUNet", growth=growth, width=width, last=last)
        self.in_channels, self.multiple = in_channels, 2 ** (len(layers) + 1)
        self.features = DenseNet(1, in_channels, layers, growth, width).features
        skips, channels = [width], width
        for number, count in enumerate(layers, start=1):
            channels += count * growth
            skips.append(channels)
            channels = channels // 2 if number < len(layers) else channels
        below = skips.pop()
        self.relu, self.upsample = ReLU(), Upsample(scale_factor=2, mode="bilinear")
        self.line = Conv2d(skips[-1], below, 1)
        self.decoder = ModuleList()
        for after in (*reversed(skips[:-1]), width, last):
            self.decoder.append(_block(below, after))
            below = after
        self.drop = Dropout(dropout)
        self.head = Conv2d(below, num_classes, 1)
        for module in (self.line, self.head, *self.decoder.modules()):
            _initialise(module)

    def forward(self, x: Tensor) -> Tensor:
        check_images("DenseUNet", x, self.in_channels, multiple=self.multiple, least=self.multiple)
        skips = []
        for name, layer in self.features.named_children():
            x = layer(x)
            if name == "relu0" or name.startswith("denseblock"):
                skips.append(x)
        x = self.relu(x)
        skips[-2:] = [self.line(skips[-2])]  # the last block's output is x
        for block in self.decoder:
            x = self.upsample(x)
            x = block(x + skips.pop() if skips else x)
        return self.head(self.drop(x))


def _block(in_channels: int, out_channels: int) -> Sequential:
    return Sequential(Conv2d(in_channels, out_channels, 3, padding=1), BatchNorm2d(out_channels), ReLU())


def _initialise(module: Module) -> None:
    """He's normal distribution and zero biases."""
    if isinstance(module, Conv2d):
        init.kaiming_normal_(module.weight, nonlinearity="relu")
        fill_bias(module)
