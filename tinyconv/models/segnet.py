"""SegNet of Badrinarayanan, Kendall and Cipolla 2017: an encoder, and a decoder that remembers where.

The encoder is the convolutional part of VGG-16 with batch normalisation. Its poolings keep the
positions of the maxima, and the decoder, its mirror image, puts values back to just these positions:
the unpooled maps are sparse and sharp, and the convolutions after them fill the gaps.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from tinyconv.models._sizes import check_images, check_widths
from tinyconv.models.registry import register
from tinyconv.models.weights import fill_bias
from tinyconv.nn import (
    BatchNorm2d,
    Conv2d,
    MaxPool2d,
    MaxUnpool2d,
    Module,
    ModuleList,
    ReLU,
    Sequential,
    init,
)
from tinyconv.tensor import Tensor

CONVOLUTIONS = (2, 2, 3, 3, 3)
"""Of each stage of VGG-16."""


@register("segnet", (3, 360, 480))
class SegNet(Module):
    """SegNet: (N, 3, H, W) to scores (N, num_classes, H, W), for any H and W from 32 on.

    Parameters
    ----------
    in_channels, num_classes : int
        Channels in, maps of scores out; 11 classes of streets in the paper.
    widths : sequence of int
        Filters of each stage; VGG-16's are 64, 128, 256, 512, 512.

    Attributes
    ----------
    features : Sequential
        The encoder, with the names of ``vgg16_bn``, whose weights fit.
    decoder : ModuleList
        One stage for each of the encoder's, the last one first.

    Examples
    --------
    >>> import tinyconv as tc
    >>> from tinyconv import models
    >>> models.create("segnet", widths=(4, 4, 4, 4, 4))(tc.zeros(1, 3, 45, 37)).shape
    (1, 11, 45, 37)
    """

    def __init__(
        self,
        in_channels: int = 3,
        num_classes: int = 11,
        widths: Sequence[int] = (64, 128, 256, 512, 512),
    ) -> None:
        super().__init__()
        widths = check_widths("SegNet", widths, 1)
        self.in_channels, self.least = in_channels, 2 ** len(widths)
        self.multiple = self.least  # of images that are padded anyway
        counts = [CONVOLUTIONS[min(level, 4)] for level in range(len(widths))]
        self.features, self.decoder = Sequential(), ModuleList()
        channels = in_channels
        for width, count in zip(widths, counts, strict=True):
            self.features.extend(_stage([channels] + [width] * count))
            self.features.append(MaxPool2d(2, return_indices=True))
            channels = width
        below = [num_classes, *widths[:-1]]
        for level in reversed(range(len(widths))):
            layers = _stage([widths[level]] * counts[level] + [below[level]])
            self.decoder.append(Sequential(*(layers if level else layers[:-2])))  # the last gives scores
        self.unpool = MaxUnpool2d(2)
        self.apply(_initialise)

    def forward(self, x: Tensor) -> Tensor:
        check_images("SegNet", x, self.in_channels, least=self.least)
        pooled = []
        for layer in self.features:
            if isinstance(layer, MaxPool2d):
                size = x.shape
                x, indices = layer(x)
                pooled.append((indices, size))
            else:
                x = layer(x)
        for stage in self.decoder:
            indices, size = pooled.pop()
            x = stage(self.unpool(x, indices, output_size=size))
        return x


def _stage(channels: Sequence[int]) -> list[Module]:
    """3x3 convolutions from each number of channels to the next, normalised and rectified."""
    layers: list[Module] = []
    for before, after in pairwise(channels):
        layers += [Conv2d(before, after, 3, padding=1), BatchNorm2d(after), ReLU()]
    return layers


def _initialise(module: Module) -> None:
    """He's normal distribution and zero biases."""
    if isinstance(module, Conv2d):
        init.kaiming_normal_(module.weight, nonlinearity="relu")
        fill_bias(module)
