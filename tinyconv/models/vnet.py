"""V-Net of Milletari, Navab and Ahmadi 2016: residual stages of 5x5x5 convolutions for volumes.

Nothing is pooled: a convolution of stride 2 halves, a transposed one doubles. Each stage learns a
residual, that is, its input is added to what its convolutions make.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from tinyconv.models._sizes import check_images, check_one_of, check_widths
from tinyconv.models.registry import register
from tinyconv.models.weights import fill_bias
from tinyconv.nn import Conv3d, ConvTranspose3d, Module, ModuleList, PReLU, Sequential, init
from tinyconv.ops import cat
from tinyconv.tensor import Tensor

CONVOLUTIONS = (1, 2, 3, 3, 3)
"""How many of them each stage has on the way down; and, but for the last, on the way up."""


class Stage(Module):
    """Some 5x5x5 convolutions with PReLU, and around them a sum.

    Parameters
    ----------
    in_channels, channels : int
        Of the first convolution, and of the others; `in_channels` may be 1, then it is added to all.
    count : int
        Convolutions.
    """

    def __init__(self, in_channels: int, channels: int, count: int) -> None:
        super().__init__()
        self.conv, self.prelu = ModuleList(), ModuleList()
        for index in range(count):
            self.conv.append(Conv3d(in_channels if index == 0 else channels, channels, 5, padding=2))
            self.prelu.append(PReLU(channels))

    def forward(self, x: Tensor) -> Tensor:
        y = x
        for index, (conv, prelu) in enumerate(zip(self.conv, self.prelu, strict=True)):
            y = conv(y)
            if index == len(self.conv) - 1:
                y = y + x
            y = prelu(y)
        return y


@register("vnet", (1, 128, 128, 64))
class VNet(Module):
    """V-Net: (N, 1, 128, 128, 64) to scores (N, 2, 128, 128, 64).

    Parameters
    ----------
    in_channels : int
        1, or as many as the first stage has filters (what goes in is added to what that stage makes).
    num_classes : int
        Maps of scores.
    widths : sequence of int
        Filters of each stage; the paper's are 16, 32, 64, 128, 256.

    Notes
    -----
    D, H and W are multiples of 16. On the way up a stage works on twice its filters: what comes from
    below, and the copy of the same size from the way down. The paper trains with the Dice loss
    (`nn.DiceLoss`) of the softmax of the scores.
    """

    def __init__(
        self, in_channels: int = 1, num_classes: int = 2, widths: Sequence[int] = (16, 32, 64, 128, 256)
    ) -> None:
        super().__init__()
        widths = check_widths("VNet", widths)
        check_one_of("VNet", "in_channels", in_channels, (1, widths[0]))
        counts = [CONVOLUTIONS[min(level, 4)] for level in range(len(widths))]
        self.in_channels, self.multiple = in_channels, 2 ** (len(widths) - 1)
        self.left, self.down = ModuleList([Stage(in_channels, widths[0], counts[0])]), ModuleList()
        self.up, self.right = ModuleList(), ModuleList()
        for (before, after), count in zip(pairwise(widths), counts[1:], strict=True):
            self.down.append(_resize(Conv3d(before, after, 2, stride=2), after))
            self.left.append(Stage(after, after, count))
        channels = widths[-1]
        for width, count in zip(reversed(widths[:-1]), reversed(counts[:-1]), strict=True):
            self.up.append(_resize(ConvTranspose3d(channels, width, 2, stride=2), width))
            self.right.append(Stage(2 * width, 2 * width, count))
            channels = 2 * width
        self.head = Conv3d(channels, num_classes, 1)
        self.apply(_initialise)

    def forward(self, x: Tensor) -> Tensor:
        check_images("VNet", x, self.in_channels, 3, self.multiple, self.multiple)
        x = self.left[0](x)
        copies = []
        for down, stage in zip(self.down, list(self.left)[1:], strict=True):
            copies.append(x)
            x = stage(down(x))
        for up, stage in zip(self.up, self.right, strict=True):
            x = stage(cat([up(x), copies.pop()], dim=1))
        return self.head(x)


def _resize(layer: Module, channels: int) -> Sequential:
    return Sequential(layer, PReLU(channels))


def _initialise(module: Module) -> None:
    """He's normal distribution for PReLU of slope 0.25, and zero biases."""
    if isinstance(module, Conv3d):
        init.kaiming_normal_(module.weight, a=0.25)
        fill_bias(module)
    elif isinstance(module, ConvTranspose3d):  # each output has one input per channel
        init.normal_(module.weight, std=(2 / (1 + 0.25**2) / module.in_channels) ** 0.5)
        fill_bias(module)
