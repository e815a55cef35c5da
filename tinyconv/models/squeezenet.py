"""SqueezeNet 1.1 (Iandola et al. 2016): AlexNet's accuracy with a fiftieth of its parameters.

A fire module squeezes the channels with 1x1 convolutions to an eighth or less of what comes out, so that
its 3x3 convolutions, half of those that expand them again, have few channels to add up. There are no
linear layers: a last 1x1 convolution scores each place and the scores are averaged.
"""

from __future__ import annotations

from tinyconv.models._sizes import check_images
from tinyconv.models.registry import register
from tinyconv.models.weights import fill_bias
from tinyconv.nn import AdaptiveAvgPool2d, Conv2d, Dropout, MaxPool2d, Module, ReLU, Sequential, init
from tinyconv.ops import cat
from tinyconv.tensor import Tensor


class Fire(Module):
    """Squeeze the channels with 1x1, then expand them with 1x1 and 3x3 side by side."""

    def __init__(self, inputs: int, squeezed: int, expanded: int) -> None:
        super().__init__()
        self.squeeze = Conv2d(inputs, squeezed, 1)
        self.squeeze_activation = ReLU()
        self.expand1x1 = Conv2d(squeezed, expanded, 1)
        self.expand1x1_activation = ReLU()
        self.expand3x3 = Conv2d(squeezed, expanded, 3, padding=1)
        self.expand3x3_activation = ReLU()

    def forward(self, x: Tensor) -> Tensor:
        x = self.squeeze_activation(self.squeeze(x))
        one, three = self.expand1x1(x), self.expand3x3(x)
        return cat([self.expand1x1_activation(one), self.expand3x3_activation(three)], dim=1)


@register("squeezenet1_1", input_size=(3, 224, 224))
class SqueezeNet(Module):
    """SqueezeNet 1.1: 1,235,496 parameters, none of them in linear layers.

    Parameters
    ----------
    num_classes : int
    in_channels : int
    dropout : float

    Notes
    -----
    Input (N, in_channels, H, W) from 17x17 on, 224x224 in the paper; output (N, num_classes):
    scores. Parameter names are torchvision's.
    """

    def __init__(self, num_classes: int = 1000, in_channels: int = 3, dropout: float = 0.5) -> None:
        super().__init__()
        self.features = Sequential(
            *(Conv2d(in_channels, 64, 3, stride=2), ReLU(), MaxPool2d(3, 2, ceil_mode=True)),
            *(Fire(64, 16, 64), Fire(128, 16, 64), MaxPool2d(3, 2, ceil_mode=True)),
            *(Fire(128, 32, 128), Fire(256, 32, 128), MaxPool2d(3, 2, ceil_mode=True)),
            *(Fire(256, 48, 192), Fire(384, 48, 192), Fire(384, 64, 256), Fire(512, 64, 256)),
        )
        self.classifier = Sequential(
            Dropout(dropout), Conv2d(512, num_classes, 1), ReLU(), AdaptiveAvgPool2d(1)
        )
        self._initialise()

    def forward(self, x: Tensor) -> Tensor:
        check_images("SqueezeNet", x, self.features[0].in_channels, least=17)
        return self.classifier(self.features(x)).flatten(1)

    def _initialise(self) -> None:
        for module in self.modules():
            if isinstance(module, Conv2d):
                init.kaiming_uniform_(module.weight)
                fill_bias(module)
        init.normal_(self.classifier[1].weight, std=0.01)
