"""VGG (Simonyan and Zisserman 2015): 3x3 convolutions all the way, 11 to 19 layers.

Two 3x3 see as much as one 5x5, with 18 C^2 weights in the place of 25 C^2 (slide deck S1). Each
pooling halves the image and the next block doubles the channels (slide deck S2).
"""

from __future__ import annotations

from functools import partial

from tinyconv.models._sizes import check_images, check_one_of, check_sizes
from tinyconv.models.registry import register
from tinyconv.models.weights import fill_bias
from tinyconv.nn import (
    AdaptiveAvgPool2d,
    BatchNorm2d,
    Conv2d,
    Dropout,
    Linear,
    MaxPool2d,
    Module,
    ReLU,
    Sequential,
    init,
)
from tinyconv.ops._checks import check_flags
from tinyconv.tensor import Tensor

CONVOLUTIONS = {11: (1, 1, 2, 2, 2), 13: (2, 2, 2, 2, 2), 16: (2, 2, 3, 3, 3), 19: (2, 2, 4, 4, 4)}
"""Convolutions in each of the five blocks; with the three linear layers they give a net its number."""

WIDTHS = (1, 2, 4, 8, 8)
"""Channels of each block, in multiples of the first block's."""


class VGG(Module):
    """VGG with 11, 13, 16 or 19 layers that have weights; VGG-16 has 138,357,544 parameters.

    Parameters
    ----------
    num_classes : int
    in_channels : int
    depth : {11, 13, 16, 19}
    batch_norm : bool
        Batch normalisation after each convolution.
    dropout : float
    width : int
        Channels of the first block.
    hidden : int
        Neurons in each of the two hidden layers of the classifier, ``fc1`` and ``fc2``.

    Notes
    -----
    Input (N, in_channels, H, W) from 32x32 on, 224x224 in the paper; output (N, num_classes):
    scores. Parameter names are torchvision's; ``classifier.0`` is fc1.
    """

    def __init__(
        self,
        num_classes: int = 1000,
        in_channels: int = 3,
        depth: int = 16,
        batch_norm: bool = False,
        dropout: float = 0.5,
        width: int = 64,
        hidden: int = 4096,
    ) -> None:
        super().__init__()
        check_one_of("VGG", "depth", depth, tuple(CONVOLUTIONS))
        check_flags("VGG", batch_norm=batch_norm)
        check_sizes("VGG", width=width, hidden=hidden)
        self.features = Sequential()
        channels = in_channels
        for count, multiple in zip(CONVOLUTIONS[depth], WIDTHS, strict=True):
            for _ in range(count):
                self.features.append(Conv2d(channels, multiple * width, 3, padding=1))
                channels = multiple * width
                if batch_norm:
                    self.features.append(BatchNorm2d(channels))
                self.features.append(ReLU())
            self.features.append(MaxPool2d(2))
        self.avgpool = AdaptiveAvgPool2d(7)
        self.classifier = Sequential(
            *(Linear(channels * 7 * 7, hidden), ReLU(), Dropout(dropout)),
            *(Linear(hidden, hidden), ReLU(), Dropout(dropout)),
            Linear(hidden, num_classes),
        )
        self.apply(_initialise)

    def forward(self, x: Tensor) -> Tensor:
        check_images("VGG", x, self.features[0].in_channels, least=2 ** len(WIDTHS))
        return self.classifier(self.avgpool(self.features(x)).flatten(1))


def _initialise(module: Module) -> None:
    """He's for the convolutions, without which depth is hard to train; small numbers at the end."""
    if isinstance(module, Conv2d):
        init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        fill_bias(module)
    elif isinstance(module, Linear):
        init.normal_(module.weight, std=0.01)
        fill_bias(module)


for _depth in CONVOLUTIONS:
    register(f"vgg{_depth}", input_size=(3, 224, 224))(partial(VGG, depth=_depth))
    register(f"vgg{_depth}_bn", input_size=(3, 224, 224))(partial(VGG, depth=_depth, batch_norm=True))
